// node_facts.h: what the service proxy knows of the node that it works for.
#pragma once

#include <string>
#include <vector>

#include "net/address.h"

namespace weft::service {

struct NodeFacts {
  std::string name = {};  ///< of the Node, as endpoints name it
  std::string zone = {};  ///< label topology.kubernetes.io/zone; empty where there is none
  /// Of the Node object: its primary addresses, at most one a family.
  std::vector<IpAddress> addresses = {};
  bool operator==(const NodeFacts&) const = default;
};

}  // namespace weft::service
