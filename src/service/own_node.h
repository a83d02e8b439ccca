// own_node.h: the node that the proxy works for, as its Node object says. Pure.
#pragma once

#include <string>
#include <vector>

#include "cluster/node.h"
#include "net/address.h"

namespace weft::service {

struct OwnNode {
  std::vector<IpAddress> addresses = {};  ///< one a family at most, the primary family's first
  std::string zone = {};
  std::vector<Prefix> pod_cidrs = {};
  /// Load balancers may send it traffic: it is neither being deleted nor about to be taken away by
  /// the cluster autoscaler.
  bool eligible = true;
  bool operator==(const OwnNode&) const = default;
};

OwnNode own_node(const Node& node);

}  // namespace weft::service
