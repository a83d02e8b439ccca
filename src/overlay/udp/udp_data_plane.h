// udp_data_plane.h: the udp backend: a tunnel in user space, for underlays that carry nothing
// but UDP, and for kernels without vxlan.
#pragma once

#include <memory>

#include "base/lock_guarded.h"
#include "overlay/data_plane.h"
#include "overlay/udp/device_plan.h"
#include "overlay/udp/tunnel.h"

namespace weft::overlay::udp {

class UdpDataPlane final : public DataPlane {
 public:
  UdpDataPlane(const NetConf& conf, const UdpBackend& backend);

  std::vector<std::string> device_names() const override { return {kDeviceName}; }
  std::uint32_t pod_mtu(const Uplink& uplink) const override {
    return uplink.link(Family::kIpv4).mtu - kOverhead;
  }
  std::optional<PeerRules> peer_rules() const override { return PeerRules{}; }
  std::vector<LinkIndex> settle(const Pass& pass) override;

  std::vector<BackendCounter> counters() const override;

  /// What has been carried since the start. Callable from any thread.
  Counters carried() const;

 private:
  struct Carriers {
    std::unique_ptr<Tunnel> present;
    Counters former;  ///< of the tunnels before
  };

  void close_tunnel();
  Result<LinkIndex> settle_tunnel(const Pass& pass);
  Status open_tunnel(const Tunnel::Options& options, const std::optional<Link>& found,
                     const Pass& pass);

  const PodNetwork network_;
  const UdpBackend backend_;
  LinkIndex device_ = LinkIndex::kNone;  // the one that the tunnel is attached to
  std::vector<Peer> peers_;              // as the tunnel knows them
  LockGuarded<Carriers> carriers_;
  Tunnel* tunnel_ = nullptr;  // the present one, for the repair loop, which alone changes it
};

}  // namespace weft::overlay::udp
