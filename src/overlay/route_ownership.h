// route_ownership.h: which routes of a node are the overlay's, and which are in its way.
//
// Ours, and so replaced or removed freely: what leads out of our VTEP, what bears our protocol
// number inside the pod network, and what flannel leaves behind with host-gw or DirectRouting:
// a route to exactly one subnet of the pod network, by `boot`, through a gateway on the uplink.
// Everything else is somebody else's and is never touched.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "net/forwarding.h"
#include "overlay/net_conf.h"

namespace weft::overlay {

struct RouteOwnership {
  std::map<RouteKey, Route> ours;
  std::vector<Route> foreign;
};

/// `vtep` is kNone for backends without a device.
RouteOwnership sort_routes(const std::vector<Route>& routes, const PodNetwork& network,
                           LinkIndex vtep, LinkIndex uplink);

/// Takes out of `desired` the routes to destinations that a foreign route has already, and
/// returns one line for each.
std::vector<std::string> yield_to_foreign(std::map<RouteKey, Route>& desired,
                                          const std::vector<Route>& foreign);

}  // namespace weft::overlay
