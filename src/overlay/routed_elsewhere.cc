#include "overlay/routed_elsewhere.h"

#include <algorithm>

namespace weft::overlay {
namespace {

bool leads_through(const Route& route, const NodeNetwork& network,
                   const std::vector<std::string>& devices) {
  return std::any_of(network.links.begin(), network.links.end(), [&](const Link& link) {
    return link.index == route.link() &&
           std::find(devices.begin(), devices.end(), link.name) != devices.end();
  });
}

}  // namespace

std::vector<Prefix> routed_elsewhere(const NodeNetwork& network, const NetConf& conf,
                                     const std::vector<std::string>& devices,
                                     const std::optional<LeaseKey>& previous) {
  std::vector<Prefix> destinations;
  for (const auto& [family, routes] : network.routes) {
    const PodNetwork& pods = conf.networks.at(family);
    for (const auto& route : routes) {
      const Prefix& destination = route.key.destination;
      if (destination.is_default() || !destination.overlaps(pods.network)) continue;
      const bool own = previous && previous->subnet(family) == destination;
      // A route to one subnet through a gateway is what an overlay leaves, ours or flannel's.
      const bool peer = pods.allows(destination) && route.gateway().has_value();
      if (!own && !peer && !leads_through(route, network, devices))
        destinations.push_back(destination);
    }
  }
  return destinations;
}

}  // namespace weft::overlay
