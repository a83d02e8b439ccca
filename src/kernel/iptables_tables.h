// iptables_tables.h: chains of iptables changed in whichever variant a namespace uses.
//
// The nft variant is changed over netlink, without a program: what is read and planned is
// committed on the generation of the ruleset that it was read from, or read and planned anew.
// iptables-restore is run for the legacy variant, where the kernel has no nf_tables, and for
// rules with words that only it understands. Acts in the calling thread's namespace.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
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

/// In the variant that is in use: the one that has a table, nft when none has. Where both have,
/// what the program `iptables` is decides.
Status change_iptables(const IptablesScope& scope, const IptablesPlanner& plan);

/// In each variant that has the table, for what must go wherever it is.
Status clean_iptables(const IptablesScope& scope, const IptablesPlanner& plan);

/// The chains as they are in the variant that is in use.
Result<PresentChains> read_iptables(const IptablesScope& scope);

/// The chains in every variant, those of one name after each other.
Result<PresentChains> read_all_iptables(const IptablesScope& scope);

}  // namespace weft::kernel
