// local_detector.h: how a pod of this node is told from everything else (--detect-local-mode).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/address.h"

namespace weft::service {

/// By the source address (ClusterCIDR, NodeCIDR) or by the link that a packet comes in on
/// (BridgeInterface, InterfaceNamePrefix); at most one is set. With none, nothing is taken for a
/// pod of this node.
struct LocalDetector {
  std::vector<Prefix> ranges = {};  ///< at most one a family
  std::string bridge = {};
  std::string link_prefix = {};

  std::optional<Prefix> range(Family family) const {
    for (const auto& range : ranges)
      if (range.family() == family) return range;
    return std::nullopt;
  }
  bool detects(Family family) const {
    return range(family) || !bridge.empty() || !link_prefix.empty();
  }
  bool operator==(const LocalDetector&) const = default;
};

}  // namespace weft::service
