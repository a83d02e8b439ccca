// routed_elsewhere.h: which parts of the pod network a node reaches by routes of its own, so that
// no subnet is taken there. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/lease.h"
#include "overlay/net_conf.h"
#include "overlay/uplink.h"

namespace weft::overlay {

/// The destinations of all routes that overlap the pod networks, except the default routes, those
/// through the overlay's own `devices`, and those to `previous`, the pods' own subnet.
std::vector<Prefix> routed_elsewhere(const NodeNetwork& network, const NetConf& conf,
                                     const std::vector<std::string>& devices,
                                     const std::optional<LeaseKey>& previous);

}  // namespace weft::overlay
