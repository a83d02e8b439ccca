// vxlan_plan.h: what the kernel of a node should hold for the vxlan backend.
//
// The objects are flannel's, one for one (pkg/backend/vxlan): the device flannel.<VNI> (for
// IPv6 flannel-v6.<VNI>) with the first address of the node's subnet, and for each peer a route
// on-link through the peer's first address, a permanent neighbour entry that gives that address
// the MAC of the peer's VTEP, and a forwarding entry that gives that MAC the peer's public
// address. Nothing is learned and nothing is resolved while packets flow.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cluster/lease.h"
#include "net/forwarding.h"
#include "net/link.h"
#include "overlay/net_conf.h"
#include "overlay/peers.h"
#include "overlay/tunnel_device.h"

namespace weft::overlay {

/// BackendData of a vxlan lease: {"VNI":1,"VtepMAC":"aa:bb:cc:dd:ee:ff"}.
struct VtepData {
  Vni vni{1};
  MacAddress mac;

  static Result<VtepData> parse(std::string_view json);
  std::string to_json() const;
  auto operator<=>(const VtepData&) const = default;
};

/// The VTEP MACs that a lease has published: a peer that was away remembers them, so a restart
/// keeps them.
std::map<Family, MacAddress> published_macs(const Lease& lease);

/// vxlan nodes with our VNI.
PeerRules vxlan_peer_rules(const VxlanBackend& backend);

/// One end of the tunnels, for one family.
struct Vtep {
  std::string name;
  MacAddress mac;
  VxlanOptions options;
  TunnelDevice device;
  bool operator==(const Vtep&) const = default;
};

/// Bytes that the encapsulation adds: outer Ethernet 14, IP 20 or 40, UDP 8, VXLAN 8. flannel
/// takes 50 for both families, and its IPv6 packets are fragmented or lost.
constexpr std::uint32_t vxlan_overhead(Family family) {
  return family == Family::kIpv4 ? 50 : 70;
}

/// "flannel.1", or "flannel-v6.1".
std::string vtep_name(Family family, Vni vni);

/// `underlay_mtu` is the uplink's, unless net-conf.json sets one; `local` the outer source.
Vtep plan_vtep(const VxlanBackend& backend, const Prefix& subnet, const MacAddress& mac,
               LinkIndex underlay, std::uint32_t underlay_mtu, const IpAddress& local);

/// What has to be done so that there is a device of the planned kind.
struct VtepEdits {
  std::string remove_because = {};  ///< an attribute that cannot be changed in place differs
  bool create = false;              ///< it is missing, or was removed
  std::optional<MacAddress> set_mac = {};
  bool operator==(const VtepEdits&) const = default;
};

/// `actual` is the device of that name, if there is one.
VtepEdits diff_vtep(const Vtep& desired, const std::optional<Link>& actual);

/// Routes, neighbours and forwarding entries for all peers of one family. `vtep` is the device's
/// number, `node_routes` the node's main table (for DirectRouting).
ForwardingTables plan_vxlan_peers(const VxlanBackend& backend, LinkIndex vtep,
                                  const std::vector<Peer>& peers,
                                  const std::vector<Route>& node_routes);

}  // namespace weft::overlay
