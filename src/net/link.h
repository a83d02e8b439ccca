// link.h: network devices as values.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/address.h"

namespace weft {

/// The kernel's number of a device inside one network namespace; kNone is no device.
enum class LinkIndex : std::int32_t { kNone = 0 };
/// A VXLAN network identifier, 24 bits (RFC 7348).
enum class Vni : std::uint32_t {};

/// IFLA_INFO_DATA of a vxlan device.
struct VxlanOptions {
  Vni vni{1};
  LinkIndex underlay = LinkIndex::kNone;  ///< IFLA_VXLAN_LINK: the device the outer packets use
  std::optional<IpAddress> local = {};    ///< the outer source address
  std::uint16_t port = 8472;              ///< UDP destination port, host order
  bool learning = false;
  bool gbp = false;  ///< group based policy extension
  bool l2miss = false;
  bool l3miss = false;
  auto operator<=>(const VxlanOptions&) const = default;
};

/// IFLA_INFO_DATA of a bridge.
struct BridgeOptions {
  bool vlan_filtering = false;
  auto operator<=>(const BridgeOptions&) const = default;
};

/// IFLA_PROTINFO of a device that is a bridge's port.
struct BridgePort {
  bool hairpin = false;
  bool isolated = false;
  bool learning = true;
  auto operator<=>(const BridgePort&) const = default;
};

/// Who of the devices on one parent may talk to whom (linux/if_link.h, MACVLAN_MODE_*).
enum class MacvlanMode : std::uint32_t { kPrivate = 1, kVepa = 2, kBridge = 4, kPassthru = 8 };

/// IFLA_INFO_DATA of a macvlan device.
struct MacvlanOptions {
  MacvlanMode mode = MacvlanMode::kBridge;
  std::uint32_t broadcast_queue = 0;  ///< packets; 0: the kernel's choice
  auto operator<=>(const MacvlanOptions&) const = default;
};

/// linux/if_link.h, IPVLAN_MODE_*.
enum class IpvlanMode : std::uint16_t { kL2 = 0, kL3 = 1, kL3s = 2 };

/// IFLA_INFO_DATA of an ipvlan device.
struct IpvlanOptions {
  IpvlanMode mode = IpvlanMode::kL2;
  auto operator<=>(const IpvlanOptions&) const = default;
};

/// IFLA_INFO_DATA of a vlan device.
struct VlanOptions {
  std::uint16_t id = 0;  ///< 802.1Q, 0 to 4094
  auto operator<=>(const VlanOptions&) const = default;
};

/// IFLA_INFO_DATA of a TAP device: who may use it. Numbers, since names are another namespace's
/// business.
struct TapOptions {
  bool multi_queue = false;
  std::optional<std::uint32_t> owner = {};  ///< user id; nothing: whoever may administer networks
  std::optional<std::uint32_t> group = {};
  auto operator<=>(const TapOptions&) const = default;
};

/// IFLA_INFO_DATA of a VRF.
struct VrfOptions {
  std::uint32_t table = 0;  ///< whose routes its devices use
  auto operator<=>(const VrfOptions&) const = default;
};

struct Link {
  LinkIndex index = LinkIndex::kNone;
  std::string name = {};
  std::string kind = {};  ///< IFLA_INFO_KIND: "vxlan", "bridge", "veth", ...; empty for hardware
  MacAddress mac = {};
  std::uint32_t mtu = 0;
  bool up = false;                    ///< IFF_UP: the operator wants it up
  bool running = false;               ///< IFF_LOWER_UP: there is a carrier
  bool oper_up = false;               ///< IFLA_OPERSTATE is up or unknown: packets pass
  bool loopback = false;              ///< IFF_LOOPBACK
  bool promiscuous = false;           ///< IFF_PROMISC
  bool all_multicast = false;         ///< IFF_ALLMULTI
  std::uint32_t tx_queue_length = 0;  ///< IFLA_TXQLEN, in packets
  LinkIndex master = LinkIndex::kNone;
  LinkIndex peer = LinkIndex::kNone;            ///< IFLA_LINK: a veth's other end, a vlan's parent
  std::optional<std::int32_t> peer_netns = {};  ///< IFLA_LINK_NETNSID: `peer` counts in that one
  std::string alias = {};
  std::optional<VxlanOptions> vxlan = {};
  std::optional<BridgeOptions> bridge = {};
  std::optional<BridgePort> port = {};
  std::optional<MacvlanOptions> macvlan = {};
  std::optional<IpvlanOptions> ipvlan = {};
  std::optional<VlanOptions> vlan = {};
  std::optional<VrfOptions> vrf = {};
  std::optional<TapOptions> tap = {};  ///< of kind "tun", which a TUN device is as well
  auto operator<=>(const Link&) const = default;
};

/// Packet and byte counts of a device (struct rtnl_link_stats64).
struct LinkCounters {
  std::uint64_t rx_packets = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t rx_dropped = 0;
  std::uint64_t tx_dropped = 0;
  std::uint64_t rx_errors = 0;
  std::uint64_t tx_errors = 0;
};

/// The kernel's rule for a device name (dev_valid_name): 1 to 15 bytes, not "." or "..",
/// no slash, no colon, no white space.
bool is_valid_link_name(std::string_view name);

}  // namespace weft
