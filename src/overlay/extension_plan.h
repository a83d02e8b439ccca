// extension_plan.h: what the commands of the extension backend are told, and about whom.
//
// A peer's data comes from the store, where every node of the cluster writes: it reaches a
// command by its standard input only, and addresses reach it as what they were parsed to.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cluster/lease.h"
#include "overlay/command_template.h"
#include "overlay/net_conf.h"
#include "overlay/peers.h"

namespace weft::overlay {

/// One node as the commands see it: of both families at once, since one lease is one call.
struct ExtensionNode {
  LeaseKey subnets = {};
  std::optional<IpAddress> public_ipv4 = {};
  std::optional<IpAddress> public_ipv6 = {};
  std::string data = {};  ///< what its PreStartupCommand printed
  auto operator<=>(const ExtensionNode&) const = default;
};

/// SUBNET, IPV6SUBNET, PUBLIC_IP, PUBLIC_IPV6 of a node, and NETWORK. All are set; what the node
/// has not is empty.
CommandTemplate::Variables extension_variables(const std::map<Family, PodNetwork>& networks,
                                               const ExtensionNode& node);

/// BackendData of this backend is a JSON text. Absent is "". Refused: another type, more than
/// 16 KiB, and control characters other than tab and line end.
Result<std::string> parse_extension_data(std::string_view json);
std::string extension_data_to_json(std::string_view printed);

struct ExtensionPeers {
  std::map<LeaseKey, ExtensionNode> nodes;
  std::vector<std::string> refused;  ///< one line each
};

/// The peers that `accepted` leaves, with the families in which it leaves them.
ExtensionPeers extension_peers(const Peers& accepted, const LeaseView& leases);

}  // namespace weft::overlay
