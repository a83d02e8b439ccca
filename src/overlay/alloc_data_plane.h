// alloc_data_plane.h: the alloc backend: a subnet for this node and nothing that carries packets.
// Somebody outside, such as the routers of a cloud, knows the way to it.
#pragma once

#include "overlay/data_plane.h"

namespace weft::overlay {

class AllocDataPlane final : public DataPlane {
 public:
  std::uint32_t pod_mtu(const Uplink& uplink) const override { return uplink.mtu(); }
  std::optional<PeerRules> peer_rules() const override { return std::nullopt; }
  std::vector<LinkIndex> settle(const Pass& /*pass*/) override { return {}; }
};

}  // namespace weft::overlay
