// iptables_edits.h: from the chains that should be there to the input of iptables-restore. Pure.
//
// A node may be in several pod networks, each with a flanneld of its own (flannel's and ours), and
// all of them use the same chains. So a rule that bears flannel's comment and speaks of another
// network than ours stays where it is; everything else in a chain is ours to set right.
#pragma once

#include <string>
#include <vector>

#include "net/address.h"
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
/// way is moved, and duplicates go. `own` are the networks whose rules are ours.
std::vector<IptablesEdit> plan_chain_edits(const IptablesChainPlan& plan,
                                           const IptablesTable& actual,
                                           const std::vector<Prefix>& own);

/// The edits that take such a chain and all jumps to it away, or our rules alone when others' are
/// in it; none when nothing of ours is there.
std::vector<IptablesEdit> plan_chain_removal(const std::string& table, const std::string& chain,
                                             const std::string& hooked_into,
                                             const IptablesTable& actual,
                                             const std::vector<Prefix>& own);

/// Whether a built-in chain lets nothing through that it does not accept by a rule.
bool drops_by_default(const IptablesTable& table, const std::string& chain);

/// The input of one iptables-restore run.
std::string restore_script(const std::vector<IptablesEdit>& edits);

}  // namespace weft::overlay
