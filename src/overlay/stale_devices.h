// stale_devices.h: the tunnel devices that a former backend of this node's overlay has left.
//
// Whoever changes the backend in net-conf.json restarts the agents. What stays behind is worse
// than clutter: a former vxlan's routes, one for each peer's subnet, go before the one route of
// udp. Pure.
#pragma once

#include <string>
#include <vector>

#include "net/link.h"
#include "net/link_address.h"
#include "overlay/net_conf.h"

namespace weft::overlay {

/// Devices of vxlan and udp, by flannel's names for them, with an address of our pod networks,
/// except `own`, those of the present backend. None where the backend leaves the devices to
/// others (alloc, extension): one of theirs may have such a name.
std::vector<Link> stale_devices(const NetConf& conf, const std::vector<std::string>& own,
                                const std::vector<Link>& links,
                                const std::vector<LinkAddress>& addresses);

}  // namespace weft::overlay
