// bridge_vlan.h: the VLANs of a bridge's ports (linux/if_bridge.h, `bridge vlan`). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernel/netlink_message.h"
#include "net/link.h"

namespace weft::kernel {

struct BridgeVlan {
  std::uint16_t id = 0;
  bool pvid = false;      ///< untagged frames that come in belong to it
  bool untagged = false;  ///< its frames go out without a tag
  auto operator<=>(const BridgeVlan&) const = default;
};

struct PortVlans {
  LinkIndex port = LinkIndex::kNone;
  std::vector<BridgeVlan> vlans = {};
  auto operator<=>(const PortVlans&) const = default;
};

/// EOPNOTSUPP from a kernel without VLAN filtering.
Request encode_add_vlan(LinkIndex port, const BridgeVlan& vlan);
Request encode_delete_vlan(LinkIndex port, std::uint16_t id);
/// Dumps the VLANs of all ports.
Request encode_list_vlans();
std::optional<PortVlans> decode_port_vlans(const Message& message);

}  // namespace weft::kernel
