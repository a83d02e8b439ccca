#include "kernel/link_kind_codec.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

namespace weft::kernel {
namespace {

void put_vxlan(Request& request, const VxlanOptions& options) {
  request.u32(IFLA_VXLAN_ID, static_cast<std::uint32_t>(options.vni));
  if (options.underlay != LinkIndex::kNone)
    request.u32(IFLA_VXLAN_LINK, static_cast<std::uint32_t>(options.underlay));
  if (options.local)
    request.address(options.local->is_v4() ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, *options.local);
  request.u8(IFLA_VXLAN_TTL, 0).u8(IFLA_VXLAN_TOS, 0);
  request.u8(IFLA_VXLAN_LEARNING, options.learning ? 1 : 0);
  request.u8(IFLA_VXLAN_PROXY, 0).u8(IFLA_VXLAN_RSC, 0);
  request.u8(IFLA_VXLAN_L2MISS, options.l2miss ? 1 : 0);
  request.u8(IFLA_VXLAN_L3MISS, options.l3miss ? 1 : 0);
  request.u8(IFLA_VXLAN_UDP_ZERO_CSUM6_TX, 0).u8(IFLA_VXLAN_UDP_ZERO_CSUM6_RX, 0);
  if (options.gbp) request.flag(IFLA_VXLAN_GBP);
  if (options.port != 0) request.be16(IFLA_VXLAN_PORT, options.port);
}

void put_peer(Request& request, const VethPeer& peer) {
  request.nest(VETH_INFO_PEER, [&](Request& inside) {
    inside.header(ifinfomsg{}).string(IFLA_IFNAME, peer.name);
    if (peer.mac) inside.mac(IFLA_ADDRESS, *peer.mac);
    if (peer.mtu != 0) inside.u32(IFLA_MTU, peer.mtu);
    if (peer.netns_fd >= 0) inside.s32(IFLA_NET_NS_FD, peer.netns_fd);
  });
}

void put_macvlan(Request& request, const MacvlanOptions& options) {
  request.u32(IFLA_MACVLAN_MODE, static_cast<std::uint32_t>(options.mode));
  if (options.broadcast_queue != 0) request.u32(IFLA_MACVLAN_BC_QUEUE_LEN, options.broadcast_queue);
}

void put_data(Request& data, const NewLink& link) {
  if (link.vxlan) put_vxlan(data, *link.vxlan);
  // A kernel without VLAN filtering refuses the attribute.
  if (link.bridge && link.bridge->vlan_filtering) data.u8(IFLA_BR_VLAN_FILTERING, 1);
  if (link.macvlan) put_macvlan(data, *link.macvlan);
  if (link.ipvlan) data.u16(IFLA_IPVLAN_MODE, static_cast<std::uint16_t>(link.ipvlan->mode));
  if (link.vlan) data.u16(IFLA_VLAN_ID, link.vlan->id);
  if (link.vrf) data.u32(IFLA_VRF_TABLE, link.vrf->table);
  if (link.peer) put_peer(data, *link.peer);
}

bool has_data(const NewLink& link) {
  return link.vxlan || link.bridge || link.macvlan || link.ipvlan || link.vlan || link.vrf ||
         link.peer;
}

VxlanOptions decode_vxlan(const Attributes& data) {
  VxlanOptions options;
  options.vni = static_cast<Vni>(data.u32(IFLA_VXLAN_ID).value_or(0));
  options.underlay = static_cast<LinkIndex>(data.u32(IFLA_VXLAN_LINK).value_or(0));
  options.local = data.address(IFLA_VXLAN_LOCAL);
  if (!options.local) options.local = data.address(IFLA_VXLAN_LOCAL6);
  options.port = data.be16(IFLA_VXLAN_PORT).value_or(0);
  options.learning = data.u8(IFLA_VXLAN_LEARNING).value_or(0) != 0;
  options.l2miss = data.u8(IFLA_VXLAN_L2MISS).value_or(0) != 0;
  options.l3miss = data.u8(IFLA_VXLAN_L3MISS).value_or(0) != 0;
  options.gbp = data.has(IFLA_VXLAN_GBP);
  return options;
}

MacvlanOptions decode_macvlan(const Attributes& data) {
  MacvlanOptions options;
  options.mode = static_cast<MacvlanMode>(data.u32(IFLA_MACVLAN_MODE).value_or(0));
  options.broadcast_queue = data.u32(IFLA_MACVLAN_BC_QUEUE_LEN).value_or(0);
  return options;
}

TapOptions decode_tap(const Attributes& data) {
  return {.multi_queue = data.u8(IFLA_TUN_MULTI_QUEUE).value_or(0) != 0,
          .owner = data.u32(IFLA_TUN_OWNER),
          .group = data.u32(IFLA_TUN_GROUP)};
}

BridgePort decode_port(const Attributes& port) {
  return {.hairpin = port.u8(IFLA_BRPORT_MODE).value_or(0) != 0,
          .isolated = port.u8(IFLA_BRPORT_ISOLATED).value_or(0) != 0,
          .learning = port.u8(IFLA_BRPORT_LEARNING).value_or(1) != 0};
}

}  // namespace

void put_link_kind(Request& request, const NewLink& link) {
  request.nest(IFLA_LINKINFO, [&](Request& info) {
    info.string(IFLA_INFO_KIND, link.kind);
    if (has_data(link)) info.nest(IFLA_INFO_DATA, [&](Request& data) { put_data(data, link); });
  });
}

void decode_link_kind(const Attributes& info, Link& link) {
  link.kind = info.string(IFLA_INFO_KIND).value_or("");
  const Attributes data = info.nested(IFLA_INFO_DATA);
  if (link.kind == "vxlan") link.vxlan = decode_vxlan(data);
  if (link.kind == "bridge")
    link.bridge = BridgeOptions{.vlan_filtering = data.u8(IFLA_BR_VLAN_FILTERING).value_or(0) != 0};
  if (link.kind == "macvlan") link.macvlan = decode_macvlan(data);
  if (link.kind == "ipvlan")
    link.ipvlan =
        IpvlanOptions{.mode = static_cast<IpvlanMode>(data.u16(IFLA_IPVLAN_MODE).value_or(0))};
  if (link.kind == "vrf") link.vrf = VrfOptions{.table = data.u32(IFLA_VRF_TABLE).value_or(0)};
  if (link.kind == "vlan") link.vlan = VlanOptions{.id = data.u16(IFLA_VLAN_ID).value_or(0)};
  if (link.kind == "tun" && data.u8(IFLA_TUN_TYPE) == IFF_TAP) link.tap = decode_tap(data);
  if (info.string(IFLA_INFO_SLAVE_KIND) == "bridge")
    link.port = decode_port(info.nested(IFLA_INFO_SLAVE_DATA));
}

}  // namespace weft::kernel
