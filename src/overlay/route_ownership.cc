#include "overlay/route_ownership.h"

namespace weft::overlay {
namespace {

bool is_ours(const Route& route, const PodNetwork& network, LinkIndex vtep, LinkIndex uplink) {
  if (route.protocol == RouteProtocol::kKernel || route.type != RouteType::kUnicast) return false;
  if (vtep != LinkIndex::kNone && route.link() == vtep) return true;
  if (route.protocol == RouteProtocol::kWeft)
    return network.network.contains(route.key.destination);
  return route.protocol == RouteProtocol::kBoot && route.link() == uplink &&
         route.gateway().has_value() && network.allows(route.key.destination);
}

}  // namespace

RouteOwnership sort_routes(const std::vector<Route>& routes, const PodNetwork& network,
                           LinkIndex vtep, LinkIndex uplink) {
  RouteOwnership sorted;
  for (const auto& route : routes) {
    if (is_ours(route, network, vtep, uplink))
      sorted.ours[route.key] = route;
    else
      sorted.foreign.push_back(route);
  }
  return sorted;
}

std::vector<std::string> yield_to_foreign(std::map<RouteKey, Route>& desired,
                                          const std::vector<Route>& foreign) {
  std::vector<std::string> conflicts;
  for (const auto& route : foreign) {
    // Whatever its metric: two routes to one destination cannot both be meant.
    const auto wanted = desired.lower_bound(
        {.destination = route.key.destination, .table = RouteTable{}, .metric = 0});
    if (wanted == desired.end() || wanted->first.destination != route.key.destination) continue;
    conflicts.push_back("peer " + route.key.destination.to_string() +
                        ": not programmed: this node has a route of its own there (" +
                        describe(route, "") + ", protocol " +
                        std::to_string(static_cast<int>(route.protocol)) +
                        "); remove it or give the pods another Network");
    desired.erase(wanted);
  }
  return conflicts;
}

}  // namespace weft::overlay
