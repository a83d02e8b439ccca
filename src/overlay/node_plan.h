// node_plan.h: what this node's own Node says to its agent. Pure.
#pragma once

#include "base/result.h"
#include "cluster/node.h"
#include "overlay/net_conf.h"
#include "overlay/uplink.h"

namespace weft::overlay {

/// The choice of the uplink with what the Node says: node-public-ip and node-public-ipv6 go
/// before --public-ip and --public-ipv6 (flannel's order); where no interface was named, the
/// Node's InternalIPs are looked for.
UplinkOptions with_hints_of_node(UplinkOptions options, const Node& node);

/// The Node's subnets in the families of `networks`. An Error says which one is missing, or lies
/// outside of its network, and what to do.
Result<LeaseKey> own_subnet_of_node(const Node& node, const std::map<Family, PodNetwork>& networks);

/// A cluster cuts its network itself: the networks with subnets as long as those of the Node.
std::map<Family, PodNetwork> cut_as_node(std::map<Family, PodNetwork> networks, const Node& node);

}  // namespace weft::overlay
