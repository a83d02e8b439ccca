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

std::vector<Family> overlay_families(const std::string& net_conf) {
  const auto conf = parse_json(net_conf);
  const auto says = [&](const char* key, bool otherwise) {
    const Json* member = conf && conf->is_object() ? find_member(*conf, key) : nullptr;
    return member != nullptr && member->is_boolean() ? member->get<bool>() : otherwise;
  };
  std::vector<Family> families;
  if (says("EnableIPv4", true)) families.push_back(Family::kIpv4);
  if (says("EnableIPv6", false)) families.push_back(Family::kIpv6);
  if (families.empty()) families.push_back(Family::kIpv4);
  return families;
}

}  // namespace weft::lab
