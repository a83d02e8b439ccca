// nftables_mode.h: services in the kernel, in nftables mode: one table a family.
//
// Theory of operation. start() reads what an earlier proxy has left, takes its slots over, and
// writes what differs: nothing after a restart, everything on a new node, in portions whose last
// ones make packets meet the table. After that the kernel is believed to hold what it was told:
// apply() writes the elements of what has changed and reads nothing. Who else writes into the
// tables is told by the kernel's monitor; then, and when the kernel refuses an edit, repair()
// reads the tables and writes what differs.
//
// Used by one thread. Acts in the namespace in which it was opened.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/nftables.h"
#include "service/nft_services.h"
#include "service/proxy_mode.h"

namespace weft::service {

class NftablesMode : public ProxyMode {
 public:
  /// One table for each family. Fails where the kernel has no nf_tables.
  static Result<NftablesMode> open(const std::vector<RuleOptions>& families);

  std::string_view name() const override { return "nftables"; }
  Status start(const std::vector<PlannedService>& services) override;
  Status apply(const std::vector<PlannedService>& changed) override;
  Status set_options(const std::vector<RuleOptions>& families) override;
  Result<std::vector<std::string>> repair() override;
  Status remove() override;
  bool is_concerned(const kernel::KernelEvent& event) const override;
  Result<std::uint32_t> port() const override { return nftables_.port(); }

  /// The services that the tables hold.
  const std::map<Family, NftServices>& services() const { return services_; }

 private:
  NftablesMode(kernel::Nftables nftables, std::vector<RuleOptions> families)
      : nftables_(std::move(nftables)), families_(std::move(families)) {}

  using Wish = std::function<nft::TableContents(const std::optional<nft::TableContents>&)>;
  Result<std::vector<std::string>> settle(Family family, const Wish& wish);

  kernel::Nftables nftables_;
  std::vector<RuleOptions> families_;
  std::map<Family, NftServices> services_;
};

}  // namespace weft::service
