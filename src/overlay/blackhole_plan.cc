#include "overlay/blackhole_plan.h"

namespace weft::overlay {

BlackholePlan plan_blackhole(const std::vector<Route>& blackholes, const PodNetwork& network,
                             const std::optional<Prefix>& subnet) {
  BlackholePlan plan;
  bool by_somebody = false;
  for (const auto& route : blackholes) {
    const Prefix& destination = route.key.destination;
    if (route.protocol == RouteProtocol::kWeft && network.network.contains(destination))
      plan.actual[route.key] = route;
    else if (destination == subnet)
      by_somebody = true;
  }
  if (!subnet || by_somebody) return plan;
  const RouteKey key{.destination = *subnet, .metric = kBlackholeMetric};
  const auto present = plan.actual.find(key);
  // The kernel shows a device with it (lo, for IPv6): what is there is right as it is.
  plan.desired[key] =
      present != plan.actual.end()
          ? present->second
          : Route{.key = key, .type = RouteType::kBlackhole, .protocol = RouteProtocol::kWeft};
  return plan;
}

}  // namespace weft::overlay
