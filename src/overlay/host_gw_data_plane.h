// host_gw_data_plane.h: the host-gw backend: a route to each peer's pods through the peer.
#pragma once

#include <map>

#include "overlay/data_plane.h"

namespace weft::overlay {

class HostGwDataPlane final : public DataPlane {
 public:
  explicit HostGwDataPlane(const NetConf& conf) : networks_(conf.networks) {}

  std::uint32_t pod_mtu(const Uplink& uplink) const override { return uplink.mtu(); }
  std::optional<PeerRules> peer_rules() const override {
    return PeerRules{.backend_type = "host-gw", .read_data = {}, .is_gateway = true};
  }
  std::vector<LinkIndex> settle(const Pass& pass) override;

 private:
  const std::map<Family, PodNetwork> networks_;
};

}  // namespace weft::overlay
