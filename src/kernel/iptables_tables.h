// iptables_tables.h: chains of iptables changed in whichever variant a namespace uses.
//
// The nft variant is changed over netlink, without a program: what is read and planned is
// committed on the generation of the ruleset that it was read from, or read and planned anew.
// iptables-restore is run for the legacy variant, where the kernel has no nf_tables, and for
// rules with words that only it understands. Acts in the calling thread's namespace.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/iptables.h"
#include "kernel/nftables.h"
#include "net/iptables_plan.h"

namespace weft::kernel {

/// Which chains of one table of one family a plan looks at and changes.
struct IptablesScope {
  Family family = Family::kIpv4;
  std::string table = {};
  std::vector<std::string> chains = {};
};
/// Called again with what is there by then when others changed it meanwhile.
using IptablesPlanner = std::function<IptablesEdits(const PresentChains&)>;

/// iptables in one network namespace, over one socket to nf_tables.
class IptablesAccess {
 public:
  /// In the calling thread's namespace.
  static IptablesAccess open();

  /// nullptr where the kernel has no nf_tables.
  Nftables* nftables() { return nftables_ ? &*nftables_ : nullptr; }

  /// In the variant that is in use: the one that has a table, nft when none has. Where both have,
  /// what the program `iptables` is decides.
  Status change(const IptablesScope& scope, const IptablesPlanner& plan);

  /// In each variant that has the table, for what must go wherever it is.
  Status clean(const IptablesScope& scope, const IptablesPlanner& plan);

  /// The chains as they are in the variant that is in use.
  Result<PresentChains> read(const IptablesScope& scope);

  /// The chains in every variant, those of one name after each other.
  Result<PresentChains> read_all(const IptablesScope& scope);

 private:
  Result<IptablesVersion::Variant> variant_in_use(const IptablesScope& scope);

  std::optional<Nftables> nftables_ = {};
};

}  // namespace weft::kernel
