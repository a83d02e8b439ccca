// node_address.h: what the protobuf message of a Node and its manifest have in common.
#pragma once

#include <string_view>

#include "cluster/node.h"

namespace weft {

inline constexpr std::string_view kZoneLabel = "topology.kubernetes.io/zone";
/// A Node has a few addresses and two podCIDRs at most.
inline constexpr std::size_t kMostAddresses = 16;

/// An entry of status.addresses; what is no address is left out.
inline void note_node_address(std::string_view type, std::string_view text, Node& node) {
  auto* addresses = type == "InternalIP"   ? &node.internal_ips
                    : type == "ExternalIP" ? &node.external_ips
                                           : nullptr;
  if (addresses == nullptr || addresses->size() >= kMostAddresses) return;
  if (const auto address = IpAddress::parse(text)) addresses->push_back(*address);
}

}  // namespace weft
