// iptables_edits.h: from the chains that should be there to the input of iptables-restore. Pure.
#pragma once

#include <string>
#include <vector>

#include "net/iptables.h"
#include "overlay/masquerade_plan.h"

namespace weft::overlay {

struct IptablesEdit {
  std::string table;
  std::vector<std::string> commands;  ///< lines for iptables-restore --noflush
  std::string object;                 ///< "chain FLANNEL-FWD", "jump from FORWARD"
  std::string found;
  std::string done;
  bool operator==(const IptablesEdit&) const = default;
};

/// The edits that make a chain of ours and the jump to it what they should be. A chain is
/// rewritten within one commit, so no packet finds it empty (flannel flushes it first). A jump
/// that stands where it is reached is left there; one behind a rule that ends every packet's
/// way is moved, and duplicates go.
std::vector<IptablesEdit> plan_chain_edits(const IptablesChainPlan& plan,
                                           const IptablesTable& actual);

/// The edits that take such a chain and all jumps to it away; none when nothing is there.
std::vector<IptablesEdit> plan_chain_removal(const std::string& table, const std::string& chain,
                                             const std::string& hooked_into,
                                             const IptablesTable& actual);

/// Whether a built-in chain lets nothing through that it does not accept by a rule.
bool drops_by_default(const IptablesTable& table, const std::string& chain);

/// The input of one iptables-restore run.
std::string restore_script(const std::vector<IptablesEdit>& edits);

}  // namespace weft::overlay
