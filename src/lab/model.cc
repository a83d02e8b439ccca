#include "lab/model.h"

#include <algorithm>

namespace weft::lab {

bool Segment::holds(const IpAddress& address) const {
  return std::any_of(gateways.begin(), gateways.end(), [&](const InterfaceAddress& gateway) {
    return gateway.network().contains(address);
  });
}

const Node* Lab::node(const std::string& wanted) const {
  const auto found = std::find_if(nodes.begin(), nodes.end(),
                                  [&](const Node& node) { return node.name == wanted; });
  return found == nodes.end() ? nullptr : &*found;
}

const Pod* Lab::pod(const std::string& wanted) const {
  const auto found =
      std::find_if(pods.begin(), pods.end(), [&](const Pod& pod) { return pod.name == wanted; });
  return found == pods.end() ? nullptr : &*found;
}

}  // namespace weft::lab
