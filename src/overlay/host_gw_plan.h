// host_gw_plan.h: what the kernel of a node should hold for the host-gw backend.
//
// A route to each peer's subnet through the peer itself, as in flannel's pkg/backend/hostgw.
// No device of ours carries these routes, so their protocol number marks them as ours.
#pragma once

#include <string>
#include <vector>

#include "net/forwarding.h"
#include "overlay/peers.h"

namespace weft::overlay {

struct HostGwPlan {
  ForwardingTables tables;
  /// Peers that are not on the uplink's own network: one line each.
  std::vector<std::string> unreachable;
};

HostGwPlan plan_host_gw(LinkIndex uplink, const std::vector<Peer>& peers,
                        const std::vector<Route>& node_routes);

}  // namespace weft::overlay
