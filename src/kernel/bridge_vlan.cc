#include "kernel/bridge_vlan.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>

namespace weft::kernel {
namespace {

Request vlan_request(std::uint16_t type, LinkIndex port, const bridge_vlan_info& info) {
  ifinfomsg header{};
  header.ifi_family = AF_BRIDGE;
  header.ifi_index = static_cast<int>(port);
  Request request(type, 0);
  request.header(header).nest(IFLA_AF_SPEC, [&](Request& inside) {
    // The bridge's own table for the port, and not one inside the device.
    inside.u16(IFLA_BRIDGE_FLAGS, BRIDGE_FLAGS_MASTER);
    inside.bytes(IFLA_BRIDGE_VLAN_INFO, {reinterpret_cast<const char*>(&info), sizeof info});
  });
  return request;
}

}  // namespace

Request encode_add_vlan(LinkIndex port, const BridgeVlan& vlan) {
  bridge_vlan_info info{};
  info.vid = vlan.id;
  if (vlan.pvid) info.flags |= BRIDGE_VLAN_INFO_PVID;
  if (vlan.untagged) info.flags |= BRIDGE_VLAN_INFO_UNTAGGED;
  return vlan_request(RTM_SETLINK, port, info);
}

Request encode_delete_vlan(LinkIndex port, std::uint16_t id) {
  bridge_vlan_info info{};
  info.vid = id;
  return vlan_request(RTM_DELLINK, port, info);
}

Request encode_list_vlans() {
  ifinfomsg header{};
  header.ifi_family = AF_BRIDGE;
  Request request(RTM_GETLINK, 0);
  request.header(header).u32(IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN);
  return request;
}

std::optional<PortVlans> decode_port_vlans(const Message& message) {
  if (message.header.nlmsg_type != RTM_NEWLINK) return std::nullopt;
  const auto opened = message.open<ifinfomsg>();
  if (!opened || opened->first.ifi_family != AF_BRIDGE) return std::nullopt;
  PortVlans result{.port = static_cast<LinkIndex>(opened->first.ifi_index)};
  opened->second.nested(IFLA_AF_SPEC).for_each([&](std::uint16_t type, std::string_view bytes) {
    bridge_vlan_info info{};
    if (type != IFLA_BRIDGE_VLAN_INFO || bytes.size() != sizeof info) return;
    std::memcpy(&info, bytes.data(), sizeof info);
    result.vlans.push_back({.id = info.vid,
                            .pvid = (info.flags & BRIDGE_VLAN_INFO_PVID) != 0,
                            .untagged = (info.flags & BRIDGE_VLAN_INFO_UNTAGGED) != 0});
  });
  return result;
}

}  // namespace weft::kernel
