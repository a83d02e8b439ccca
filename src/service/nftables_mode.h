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
#include <vector>

#include "base/result.h"
#include "kernel/nftables.h"
#include "service/nft_services.h"
#include "service/planned_service.h"

namespace weft::service {

class NftablesMode {
 public:
  /// One for each family. Fails where the kernel has no nf_tables.
  static Result<NftablesMode> open(const std::vector<NftOptions>& families);

  /// All services that there are. Once, before all else; again after an error.
  Status start(const std::vector<PlannedService>& services);
  /// What has changed. An error says that a table may not be as it should; repair() mends it.
  Status apply(const std::vector<PlannedService>& changed);
  /// Makes the tables what they should be. Returns what was done, in words; none when they were
  /// right.
  Result<std::vector<std::string>> repair();
  /// Takes the tables away, and with them all services.
  Status remove();

  /// Whether it is a table of this mode.
  static bool is_own_table(std::string_view name);
  /// Of the socket that writes, for the monitor: what it does is no news.
  Result<std::uint32_t> port() const { return nftables_.port(); }
  /// The services that the tables hold.
  const std::map<Family, NftServices>& services() const { return services_; }

 private:
  NftablesMode(kernel::Nftables nftables, std::vector<NftOptions> families)
      : nftables_(std::move(nftables)), families_(std::move(families)) {}

  using Wish = std::function<nft::TableContents(const std::optional<nft::TableContents>&)>;
  Result<std::vector<std::string>> settle(Family family, const Wish& wish);

  kernel::Nftables nftables_;
  std::vector<NftOptions> families_;
  std::map<Family, NftServices> services_;
};

}  // namespace weft::service
