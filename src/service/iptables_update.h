// iptables_update.h: what has to be written so that iptables holds the services, and the input of
// iptables-restore for it. Pure.
//
// Chains that are the proxy's by name are written whole, within one commit of their table, so that
// no packet finds one half done; jumps from built-in chains are put there and taken away one by
// one. Everything else in the tables is others' and stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "net/iptables.h"
#include "service/iptables_layout.h"

namespace weft::service {

struct TableUpdate {
  ChainRules chains = {};              ///< with these rules and no other
  std::set<std::string> gone = {};     ///< chains
  std::vector<IptablesJump> put = {};  ///< one after the other
  std::vector<IptablesJump> dropped = {};
  bool empty() const { return chains.empty() && gone.empty() && put.empty() && dropped.empty(); }
  bool operator==(const TableUpdate&) const = default;
};
/// By name of the table; none of them is empty.
using IptablesUpdate = std::map<std::string, TableUpdate>;

/// What makes the tables that were read ("filter", "nat") what they should be.
IptablesUpdate plan_iptables(const IptablesDesign& design, const IptablesContents& wanted,
                             const IptablesTables& actual);

/// What takes such chains, and the jumps to them from built-in chains, out of the tables that were
/// read. A chain to which somebody else's leads stays, and so do those that it leads to.
using IsChain = std::function<bool(std::string_view table, std::string_view chain)>;
IptablesUpdate plan_iptables_removal(const IsChain& goes, const IptablesTables& actual);

/// Inputs of iptables-restore --noflush, to be carried out one after the other, with about so many
/// rules each: others wait for the lock of iptables meanwhile. Chains come before what leads to
/// them.
std::vector<std::string> restore_scripts(const IptablesUpdate& update, std::size_t rules_each);

/// How many commits such an input makes.
std::uint32_t commits_of(std::string_view script);

/// The line that iptables-restore complains of ("line 7 failed"); empty when it names none.
std::string blamed_line(std::string_view script, std::string_view complaint);

/// The edits, one phrase each: "nat chain KUBE-SVC-X: put", "filter jump from INPUT to Y: put".
std::vector<std::string> describe(const IptablesUpdate& update);

}  // namespace weft::service
