// node_identity.h: what makes this node a peer: where it is reached, and its VTEPs' MACs.
#pragma once

#include <map>

#include "cluster/lease.h"
#include "net/address.h"
#include "overlay/net_conf.h"
#include "overlay/uplink.h"

namespace weft::overlay {

struct NodeIdentity {
  Uplink uplink;
  std::map<Family, MacAddress> vtep_macs = {};  ///< of vxlan; empty otherwise
};

/// What the node publishes about itself.
LeaseAttributes published_attributes(const NetConf& conf, const NodeIdentity& identity);

/// The VTEP MACs that a lease has published: a peer that was away remembers them, so a restart
/// keeps them.
std::map<Family, MacAddress> published_macs(const Lease& lease);

}  // namespace weft::overlay
