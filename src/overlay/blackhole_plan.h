// blackhole_plan.h: --ip-blackhole-route: what is sent to a pod that is not there ends here.
//
// With a route for every pod and none for the subnet (Canal), a packet to an address without a
// pod would follow the node's default route, come back, and go round. Pure.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "net/route.h"
#include "overlay/net_conf.h"

namespace weft::overlay {

/// Worse than any route to the pods: a bridge's route to the same subnet must win. flannel's own
/// has no metric, so with a bridge the two would take each other's place.
constexpr std::uint32_t kBlackholeMetric = 4096;

struct BlackholePlan {
  std::map<RouteKey, Route> desired;
  std::map<RouteKey, Route> actual;  ///< ours, stale ones of former subnets among them
};

/// `blackholes` are the routes of that type in the main table; `subnet` is this node's, or nothing
/// when no blackhole is wanted. One that somebody else put there (flannel) serves as well and
/// stays.
BlackholePlan plan_blackhole(const std::vector<Route>& blackholes, const PodNetwork& network,
                             const std::optional<Prefix>& subnet);

}  // namespace weft::overlay
