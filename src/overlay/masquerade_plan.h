// masquerade_plan.h: the rules that let pods leave the pod network and let their packets be
// forwarded, as values.
//
// In iptables mode the rules are flannel's to the letter (pkg/trafficmngr/iptables): somebody
// who greps for FLANNEL-POSTRTG finds what they know. In nftables mode table, chains and order
// are flannel's too, but the rules say what its iptables rules say; flannel's own do not:
//   - it compares the whole packet mark with 0x4000, so any other bit hides kube-proxy's;
//   - it returns for traffic from outside to the whole pod network instead of this node's
//     subnet, so its last rule (a node's own packets to pods elsewhere) never matches.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/nft.h"

namespace weft::overlay {

struct MasqueradeFacts {
  Prefix network;  ///< all pods
  Prefix subnet;   ///< the pods of this node
  /// The subnet that this node had before, perhaps in another network: rules about it are stale.
  std::optional<Prefix> former = {};
  bool masquerade = true;  ///< --ip-masq
  bool forward = true;     ///< --iptables-forward-rules
  bool random_fully = true;
};

/// A chain of ours and its whole contents, each rule as iptables-save prints it behind
/// "-A CHAIN ".
struct IptablesChainPlan {
  std::string table;
  std::string chain;
  std::vector<std::string> rules;
  std::string hooked_into;  ///< the built-in chain that jumps to it
  std::string jump;         ///< that rule
};

std::vector<IptablesChainPlan> plan_iptables(const MasqueradeFacts& facts);

/// The table of nftables mode: `ip flannel-ipv4` or `ip6 flannel-ipv6`. Where a node is in several
/// pod networks, each agent but the usual one has a table of its own, `ip flannel-ipv4-blue` (see
/// agent_name()): flannel's agents undo each other's rules in the one table.
nft::TableId nftables_table(Family family, const std::string& agent);
nft::TableContents plan_nftables(const MasqueradeFacts& facts, const std::string& agent);

}  // namespace weft::overlay
