// rtnetlink_codec.h: rtnetlink messages <-> the values of net/ (linux/rtnetlink.h).
//
// Pure: bytes in, values out, and back. decode_*() give nothing for a message of another type
// or one too short to be of its type.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernel/netlink_message.h"
#include "net/link.h"
#include "net/link_address.h"
#include "net/neighbour.h"
#include "net/route.h"

namespace weft::kernel {

/// The other end of a veth pair at its creation. It is down: the kernel refuses to set it up
/// before both ends are tied together.
struct VethPeer {
  std::string name = {};
  std::optional<MacAddress> mac = {};
  std::uint32_t mtu = 0;  ///< 0: the kernel's choice
  bool up = false;
  int netns_fd = -1;  ///< where it is made; -1: beside the first end
};

/// A device to be made. Only name and kind must be set.
struct NewLink {
  std::string name = {};
  std::string kind = {};
  std::optional<MacAddress> mac = {};
  std::uint32_t mtu = 0;                              ///< 0: the kernel's choice
  std::optional<std::uint32_t> tx_queue_length = {};  ///< in packets
  bool up = false;
  LinkIndex master = LinkIndex::kNone;
  /// IFLA_LINK: the device below a macvlan, ipvlan or vlan, in the socket's namespace.
  LinkIndex parent = LinkIndex::kNone;
  int netns_fd = -1;  ///< where it is made; -1: the socket's own namespace
  std::optional<VxlanOptions> vxlan = {};
  std::optional<BridgeOptions> bridge = {};
  std::optional<MacvlanOptions> macvlan = {};
  std::optional<IpvlanOptions> ipvlan = {};
  std::optional<VlanOptions> vlan = {};
  std::optional<VrfOptions> vrf = {};
  std::optional<VethPeer> peer = {};
};

/// What to change on a device; what is not set stays.
struct LinkChange {
  std::optional<std::string> name = {};
  std::optional<MacAddress> mac = {};
  std::optional<std::uint32_t> mtu = {};
  std::optional<bool> up = {};
  std::optional<bool> promiscuous = {};
  std::optional<bool> all_multicast = {};
  std::optional<std::uint32_t> tx_queue_length = {};  ///< in packets
  std::optional<LinkIndex> master = {};               ///< kNone takes it out of its bridge
  std::optional<int> netns_fd = {};
  std::optional<std::string> alias = {};
  std::optional<bool> vlan_filtering = {};  ///< of a bridge
  std::optional<bool> arp_notify = {};      ///< tells neighbours of its IPv4 addresses at UP
};

Request encode_new_link(const NewLink& link);
Request encode_link_change(LinkIndex link, const LinkChange& change);
Request encode_port_change(LinkIndex port, const BridgePort& options);
Request encode_delete_link(LinkIndex link);
Request encode_get_link(std::string_view name);
Request encode_get_link(LinkIndex link);
std::optional<Link> decode_link(const Message& message);
std::optional<LinkCounters> decode_link_counters(const Message& message);

Request encode_new_address(const LinkAddress& address, bool without_dad);
Request encode_delete_address(const LinkAddressKey& key);
std::optional<LinkAddress> decode_address(const Message& message);

/// How a route meets one that has its key already.
enum class RouteWrite {
  kReplace,    ///< takes its place
  kExclusive,  ///< EEXIST
  kAppend,     ///< stands beside it; EEXIST only when every part is equal
};
Request encode_route(const Route& route, RouteWrite write);
/// Deletes exactly this route: its protocol and hop must match as well as its key.
Request encode_delete_route(const Route& route);
Request encode_get_route(const IpAddress& destination);
std::optional<Route> decode_route(const Message& message);

Request encode_neighbour(const Neighbour& neighbour);
Request encode_delete_neighbour(const NeighbourKey& key);
std::optional<Neighbour> decode_neighbour(const Message& message);

Request encode_fdb_entry(const FdbEntry& entry);
Request encode_delete_fdb_entry(const FdbEntry& entry);
std::optional<FdbEntry> decode_fdb_entry(const Message& message);

Request encode_rule(const PolicyRule& rule);
Request encode_delete_rule(const PolicyRule& rule);
std::optional<PolicyRule> decode_rule(const Message& message);

}  // namespace weft::kernel
