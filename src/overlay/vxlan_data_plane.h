// vxlan_data_plane.h: the vxlan backend: one VTEP a family, and each peer's entries on it.
#pragma once

#include <map>

#include "base/lock_guarded.h"
#include "overlay/data_plane.h"
#include "overlay/vxlan_plan.h"

namespace weft::overlay {

class VxlanDataPlane final : public DataPlane {
 public:
  /// Keeps the MAC of a VTEP that is there already.
  static Result<std::unique_ptr<DataPlane>> open(const NetConf& conf, const VxlanBackend& backend,
                                                 kernel::Rtnetlink& rtnetlink);

  std::vector<std::string> device_names() const override;
  BackendData publish(const std::optional<Lease>& before) override;
  std::uint32_t pod_mtu(const Uplink& uplink) const override;
  std::optional<PeerRules> peer_rules() const override { return vxlan_peer_rules(backend_); }
  std::vector<LinkIndex> settle(const Pass& pass) override;

 private:
  struct Identity {
    std::map<Family, MacAddress> macs;
    bool adopted = false;  ///< what an earlier agent published has been looked at
  };

  VxlanDataPlane(const NetConf& conf, VxlanBackend backend, Identity identity)
      : networks_(conf.networks), backend_(backend), identity_(std::move(identity)) {}

  /// The VTEP's number once it and its tables are as planned.
  Result<LinkIndex> settle_family(Family family, const Pass& pass);

  const std::map<Family, PodNetwork> networks_;
  const VxlanBackend backend_;
  LockGuarded<Identity> identity_;
};

}  // namespace weft::overlay
