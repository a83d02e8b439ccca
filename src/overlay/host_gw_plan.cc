#include "overlay/host_gw_plan.h"

namespace weft::overlay {

HostGwPlan plan_host_gw(LinkIndex uplink, const std::vector<Peer>& peers,
                        const std::vector<Route>& node_routes) {
  HostGwPlan plan;
  for (const auto& peer : peers) {
    // The kernel takes no gateway that it cannot reach directly (ENETUNREACH).
    if (directly_connected(node_routes, peer.public_address) != uplink) {
      plan.unreachable.push_back("peer " + peer.subnet.to_string() +
                                 ": not programmed: host-gw "
                                 "needs " +
                                 peer.public_address.to_string() + " on the uplink's own network");
      continue;
    }
    const RouteKey key = main_route(peer.subnet);
    plan.tables.routes[key] = Route{.key = key,
                                    .protocol = RouteProtocol::kWeft,
                                    .hops = {{.gateway = peer.public_address, .link = uplink}}};
  }
  return plan;
}

}  // namespace weft::overlay
