// The part of rtnetlink_codec.h about links and their addresses.
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "kernel/link_kind_codec.h"
#include "kernel/rtnetlink_codec.h"

#ifndef IFF_LOWER_UP
#define IFF_LOWER_UP 0x10000  // linux/if.h, which cannot stand beside net/if.h
#endif

namespace weft::kernel {
namespace {

constexpr std::uint8_t kOperUnknown = 0;  // IF_OPER_UNKNOWN: a driver that does not tell
constexpr std::uint8_t kOperUp = 6;       // IF_OPER_UP

int number(LinkIndex index) {
  return static_cast<int>(index);
}
std::uint32_t unsigned_number(LinkIndex index) {
  return static_cast<std::uint32_t>(index);
}

ifinfomsg link_header(LinkIndex index) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = number(index);
  return header;
}

bool is_link_message(const Message& message) {
  return message.header.nlmsg_type == RTM_NEWLINK || message.header.nlmsg_type == RTM_DELLINK;
}

}  // namespace

Request encode_new_link(const NewLink& link) {
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  ifinfomsg header = link_header(LinkIndex::kNone);
  if (link.up) header.ifi_flags = header.ifi_change = IFF_UP;
  request.header(header).string(IFLA_IFNAME, link.name);
  if (link.mac) request.mac(IFLA_ADDRESS, *link.mac);
  if (link.mtu != 0) request.u32(IFLA_MTU, link.mtu);
  if (link.tx_queue_length) request.u32(IFLA_TXQLEN, *link.tx_queue_length);
  if (link.master != LinkIndex::kNone) request.u32(IFLA_MASTER, unsigned_number(link.master));
  if (link.parent != LinkIndex::kNone) request.u32(IFLA_LINK, unsigned_number(link.parent));
  if (link.netns_fd >= 0) request.s32(IFLA_NET_NS_FD, link.netns_fd);
  put_link_kind(request, link);
  return request;
}

Request encode_link_change(LinkIndex link, const LinkChange& change) {
  Request request(RTM_NEWLINK, 0);
  ifinfomsg header = link_header(link);
  const auto set_flag = [&](const std::optional<bool>& wanted, unsigned flag) {
    if (!wanted) return;
    header.ifi_change |= flag;
    if (*wanted) header.ifi_flags |= flag;
  };
  set_flag(change.up, IFF_UP);
  set_flag(change.promiscuous, IFF_PROMISC);
  set_flag(change.all_multicast, IFF_ALLMULTI);
  request.header(header);
  if (change.name) request.string(IFLA_IFNAME, *change.name);
  if (change.mac) request.mac(IFLA_ADDRESS, *change.mac);
  if (change.mtu) request.u32(IFLA_MTU, *change.mtu);
  if (change.tx_queue_length) request.u32(IFLA_TXQLEN, *change.tx_queue_length);
  if (change.master) request.u32(IFLA_MASTER, unsigned_number(*change.master));
  if (change.netns_fd) request.s32(IFLA_NET_NS_FD, *change.netns_fd);
  if (change.alias) request.bytes(IFLA_IFALIAS, *change.alias);
  if (change.vlan_filtering)
    request.nest(IFLA_LINKINFO, [&](Request& info) {
      info.string(IFLA_INFO_KIND, "bridge").nest(IFLA_INFO_DATA, [&](Request& data) {
        data.u8(IFLA_BR_VLAN_FILTERING, *change.vlan_filtering ? 1 : 0);
      });
    });
  if (change.arp_notify)
    request.nest(IFLA_AF_SPEC, [&](Request& families) {
      families.nest(AF_INET, [&](Request& inet) {
        inet.nest(IFLA_INET_CONF, [&](Request& settings) {
          settings.u32(IPV4_DEVCONF_ARP_NOTIFY, *change.arp_notify ? 1 : 0);
        });
      });
    });
  return request;
}

Request encode_port_change(LinkIndex port, const BridgePort& options) {
  // As `ip link set dev PORT type bridge_slave ...` does.
  Request request(RTM_NEWLINK, 0);
  request.header(link_header(port)).nest(IFLA_LINKINFO, [&](Request& info) {
    info.string(IFLA_INFO_SLAVE_KIND, "bridge").nest(IFLA_INFO_SLAVE_DATA, [&](Request& data) {
      data.u8(IFLA_BRPORT_MODE, options.hairpin ? 1 : 0);
      data.u8(IFLA_BRPORT_ISOLATED, options.isolated ? 1 : 0);
      data.u8(IFLA_BRPORT_LEARNING, options.learning ? 1 : 0);
    });
  });
  return request;
}

Request encode_delete_link(LinkIndex link) {
  return Request(RTM_DELLINK, 0).header(link_header(link));
}

Request encode_get_link(std::string_view name) {
  return Request(RTM_GETLINK, 0).header(link_header(LinkIndex::kNone)).string(IFLA_IFNAME, name);
}

Request encode_get_link(LinkIndex link) {
  return Request(RTM_GETLINK, 0).header(link_header(link));
}

std::optional<Link> decode_link(const Message& message) {
  if (!is_link_message(message)) return std::nullopt;
  const auto opened = message.open<ifinfomsg>();
  if (!opened) return std::nullopt;
  const auto& [header, attributes] = *opened;
  Link link;
  link.index = static_cast<LinkIndex>(header.ifi_index);
  link.name = attributes.string(IFLA_IFNAME).value_or("");
  link.mac = attributes.mac(IFLA_ADDRESS).value_or(MacAddress{});
  link.mtu = attributes.u32(IFLA_MTU).value_or(0);
  link.up = (header.ifi_flags & IFF_UP) != 0;
  link.running = (header.ifi_flags & IFF_LOWER_UP) != 0;
  link.loopback = (header.ifi_flags & IFF_LOOPBACK) != 0;
  link.promiscuous = (header.ifi_flags & IFF_PROMISC) != 0;
  link.all_multicast = (header.ifi_flags & IFF_ALLMULTI) != 0;
  link.tx_queue_length = attributes.u32(IFLA_TXQLEN).value_or(0);
  const std::uint8_t state = attributes.u8(IFLA_OPERSTATE).value_or(kOperUnknown);
  link.oper_up = state == kOperUp || state == kOperUnknown;
  link.master = static_cast<LinkIndex>(attributes.u32(IFLA_MASTER).value_or(0));
  link.peer = static_cast<LinkIndex>(attributes.u32(IFLA_LINK).value_or(0));
  link.peer_netns = attributes.s32(IFLA_LINK_NETNSID);
  link.alias = attributes.string(IFLA_IFALIAS).value_or("");
  decode_link_kind(attributes.nested(IFLA_LINKINFO), link);
  return link;
}

std::optional<LinkCounters> decode_link_counters(const Message& message) {
  if (!is_link_message(message)) return std::nullopt;
  const auto opened = message.open<ifinfomsg>();
  if (!opened) return std::nullopt;
  const auto bytes = opened->second.find(IFLA_STATS64);
  // The structure has grown over the years; its first members have stayed.
  constexpr std::size_t kNeeded = offsetof(rtnl_link_stats64, multicast);
  if (!bytes || bytes->size() < kNeeded) return std::nullopt;
  rtnl_link_stats64 stats{};
  std::memcpy(&stats, bytes->data(), std::min(sizeof stats, bytes->size()));
  return LinkCounters{.rx_packets = stats.rx_packets,
                      .tx_packets = stats.tx_packets,
                      .rx_bytes = stats.rx_bytes,
                      .tx_bytes = stats.tx_bytes,
                      .rx_dropped = stats.rx_dropped,
                      .tx_dropped = stats.tx_dropped,
                      .rx_errors = stats.rx_errors,
                      .tx_errors = stats.tx_errors};
}

Request encode_new_address(const LinkAddress& address, bool without_dad) {
  const InterfaceAddress& on_link = address.key.address;
  const bool v4 = on_link.address.is_v4();
  ifaddrmsg header{};
  header.ifa_family = v4 ? AF_INET : AF_INET6;
  header.ifa_prefixlen = on_link.length;
  header.ifa_scope = static_cast<std::uint8_t>(address.scope);
  header.ifa_index = unsigned_number(address.key.link);
  std::uint32_t flags = without_dad && !v4 ? IFA_F_NODAD : 0;
  if (!address.prefix_route) flags |= IFA_F_NOPREFIXROUTE;
  header.ifa_flags = static_cast<std::uint8_t>(flags);
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  request.header(header).address(IFA_LOCAL, on_link.address).address(IFA_ADDRESS, on_link.address);
  if (flags > 0xff) request.u32(IFA_FLAGS, flags);
  // As `ip address add ... broadcast +` and the Go plugins' library do.
  if (v4 && on_link.length < 31) request.address(IFA_BROADCAST, on_link.network().last());
  return request;
}

Request encode_delete_address(const LinkAddressKey& key) {
  ifaddrmsg header{};
  header.ifa_family = key.address.address.is_v4() ? AF_INET : AF_INET6;
  header.ifa_prefixlen = key.address.length;
  header.ifa_index = unsigned_number(key.link);
  return Request(RTM_DELADDR, 0)
      .header(header)
      .address(IFA_LOCAL, key.address.address)
      .address(IFA_ADDRESS, key.address.address);
}

std::optional<LinkAddress> decode_address(const Message& message) {
  if (message.header.nlmsg_type != RTM_NEWADDR && message.header.nlmsg_type != RTM_DELADDR)
    return std::nullopt;
  const auto opened = message.open<ifaddrmsg>();
  if (!opened) return std::nullopt;
  const auto& [header, attributes] = *opened;
  // On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL is ours where it is given.
  auto address = attributes.address(IFA_LOCAL);
  if (!address) address = attributes.address(IFA_ADDRESS);
  if (!address || header.ifa_prefixlen > address_bits(address->family())) return std::nullopt;
  const std::uint32_t flags = attributes.u32(IFA_FLAGS).value_or(header.ifa_flags);
  return LinkAddress{.key = {.link = static_cast<LinkIndex>(header.ifa_index),
                             .address = {.address = *address, .length = header.ifa_prefixlen}},
                     .scope = static_cast<RouteScope>(header.ifa_scope),
                     .permanent = (flags & IFA_F_PERMANENT) != 0,
                     // The same bit means "secondary" for IPv4.
                     .temporary = !address->is_v4() && (flags & IFA_F_TEMPORARY) != 0,
                     .deprecated = (flags & IFA_F_DEPRECATED) != 0,
                     .tentative = (flags & IFA_F_TENTATIVE) != 0,
                     .dad_failed = (flags & IFA_F_DADFAILED) != 0,
                     .prefix_route = (flags & IFA_F_NOPREFIXROUTE) == 0};
}

}  // namespace weft::kernel
