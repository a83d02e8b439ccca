// The part of rtnetlink_codec.h about routes, neighbours, forwarding entries and rules.
#include <linux/fib_rules.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

#include "kernel/rtnetlink_codec.h"

namespace weft::kernel {
namespace {

std::uint8_t native(Family family) {
  return family == Family::kIpv4 ? AF_INET : AF_INET6;
}

std::optional<Family> family_of(std::uint8_t native_family) {
  if (native_family == AF_INET) return Family::kIpv4;
  if (native_family == AF_INET6) return Family::kIpv6;
  return std::nullopt;
}

std::uint8_t short_table(RouteTable table) {
  const auto number = static_cast<std::uint32_t>(table);
  return number < 256 ? static_cast<std::uint8_t>(number) : std::uint8_t{RT_TABLE_UNSPEC};
}

void put_hop(Request& request, const NextHop& hop) {
  if (hop.gateway) request.address(RTA_GATEWAY, *hop.gateway);
}

void put_multipath(Request& request, const std::vector<NextHop>& hops) {
  request.nest(RTA_MULTIPATH, [&](Request& inside) {
    for (const auto& hop : hops) {
      // Built apart, since rtnexthop carries the length of its own attributes.
      Request attributes(0, 0);
      put_hop(attributes, hop);
      const std::string_view tail = attributes.message().substr(sizeof(nlmsghdr));
      rtnexthop header{};
      header.rtnh_len = static_cast<std::uint16_t>(sizeof header + tail.size());
      header.rtnh_flags = hop.onlink ? RTNH_F_ONLINK : 0;
      header.rtnh_ifindex = static_cast<int>(hop.link);
      inside.header(header).raw(tail);
    }
  });
}

void put_route(Request& request, const Route& route) {
  const RouteKey& key = route.key;
  rtmsg header{};
  header.rtm_family = native(key.destination.family());
  header.rtm_dst_len = key.destination.length();
  header.rtm_table = short_table(key.table);
  header.rtm_protocol = static_cast<std::uint8_t>(route.protocol);
  header.rtm_scope = static_cast<std::uint8_t>(route.scope);
  header.rtm_type = static_cast<std::uint8_t>(route.type);
  if (route.hops.size() == 1 && route.hops[0].onlink) header.rtm_flags = RTNH_F_ONLINK;
  request.header(header);
  if (!key.destination.is_default()) request.address(RTA_DST, key.destination.address());
  request.u32(RTA_TABLE, static_cast<std::uint32_t>(key.table));
  if (key.metric != 0) request.u32(RTA_PRIORITY, key.metric);
  if (route.source) request.address(RTA_PREFSRC, *route.source);
  if (route.hops.size() == 1) {
    put_hop(request, route.hops[0]);
    if (route.hops[0].link != LinkIndex::kNone)
      request.u32(RTA_OIF, static_cast<std::uint32_t>(route.hops[0].link));
  } else if (!route.hops.empty()) {
    put_multipath(request, route.hops);
  }
}

std::vector<NextHop> decode_multipath(std::string_view bytes) {
  std::vector<NextHop> hops;
  while (bytes.size() >= sizeof(rtnexthop)) {
    rtnexthop header;
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.rtnh_len < sizeof header || header.rtnh_len > bytes.size()) break;
    const Attributes attributes(bytes.substr(sizeof header, header.rtnh_len - sizeof header));
    hops.push_back(NextHop{.gateway = attributes.address(RTA_GATEWAY),
                           .link = static_cast<LinkIndex>(header.rtnh_ifindex),
                           .onlink = (header.rtnh_flags & RTNH_F_ONLINK) != 0});
    bytes.remove_prefix(std::min<std::size_t>(RTNH_ALIGN(header.rtnh_len), bytes.size()));
  }
  return hops;
}

std::optional<Prefix> decode_prefix(const Attributes& attributes, std::uint16_t type, Family family,
                                    std::uint8_t length) {
  const IpAddress address = attributes.address(type).value_or(IpAddress::any(family));
  if (address.family() != family || length > address_bits(family)) return std::nullopt;
  return Prefix(address, length);
}

ndmsg neighbour_header(std::uint8_t family, LinkIndex link) {
  ndmsg header{};
  header.ndm_family = family;
  header.ndm_ifindex = static_cast<int>(link);
  return header;
}

Request fdb_request(std::uint16_t type, std::uint16_t flags, const FdbEntry& entry) {
  ndmsg header = neighbour_header(AF_BRIDGE, entry.key.link);
  header.ndm_flags = NTF_SELF;
  header.ndm_state = entry.permanent ? NUD_PERMANENT : NUD_REACHABLE;
  Request request(type, flags);
  request.header(header).mac(NDA_LLADDR, entry.key.mac);
  if (entry.remote) request.address(NDA_DST, *entry.remote);
  return request;
}

Request rule_request(std::uint16_t type, std::uint16_t flags, const PolicyRule& rule) {
  fib_rule_hdr header{};
  header.family = native(rule.family);
  header.table = short_table(rule.table);
  header.action = FR_ACT_TO_TBL;
  if (rule.source) header.src_len = rule.source->length();
  if (rule.destination) header.dst_len = rule.destination->length();
  Request request(type, flags);
  request.header(header).u32(FRA_TABLE, static_cast<std::uint32_t>(rule.table));
  if (rule.priority) request.u32(FRA_PRIORITY, *rule.priority);
  if (rule.source) request.address(FRA_SRC, rule.source->address());
  if (rule.destination) request.address(FRA_DST, rule.destination->address());
  if (!rule.incoming_link.empty()) request.string(FRA_IIFNAME, rule.incoming_link);
  if (rule.mark != 0 || rule.mark_mask != 0)
    request.u32(FRA_FWMARK, rule.mark).u32(FRA_FWMASK, rule.mark_mask);
  return request;
}

}  // namespace

Request encode_route(const Route& route, RouteWrite write) {
  const std::uint16_t how = write == RouteWrite::kReplace     ? NLM_F_REPLACE
                            : write == RouteWrite::kExclusive ? NLM_F_EXCL
                                                              : NLM_F_APPEND;
  Request request(RTM_NEWROUTE, static_cast<std::uint16_t>(NLM_F_CREATE | how));
  put_route(request, route);
  if (route.mtu != 0 || route.advmss != 0)
    request.nest(RTA_METRICS, [&](Request& metrics) {
      if (route.mtu != 0) metrics.u32(RTAX_MTU, route.mtu);
      if (route.advmss != 0) metrics.u32(RTAX_ADVMSS, route.advmss);
    });
  return request;
}

Request encode_delete_route(const Route& route) {
  Request request(RTM_DELROUTE, 0);
  put_route(request, route);
  return request;
}

Request encode_get_route(const IpAddress& destination) {
  rtmsg header{};
  header.rtm_family = native(destination.family());
  header.rtm_dst_len = address_bits(destination.family());
  return Request(RTM_GETROUTE, 0).header(header).address(RTA_DST, destination);
}

std::optional<Route> decode_route(const Message& message) {
  if (message.header.nlmsg_type != RTM_NEWROUTE && message.header.nlmsg_type != RTM_DELROUTE)
    return std::nullopt;
  const auto opened = message.open<rtmsg>();
  if (!opened) return std::nullopt;
  const auto& [header, attributes] = *opened;
  const auto family = family_of(header.rtm_family);
  if (!family) return std::nullopt;
  const auto destination = decode_prefix(attributes, RTA_DST, *family, header.rtm_dst_len);
  if (!destination) return std::nullopt;
  Route route;
  route.key.destination = *destination;
  route.key.table = static_cast<RouteTable>(attributes.u32(RTA_TABLE).value_or(header.rtm_table));
  route.key.metric = attributes.u32(RTA_PRIORITY).value_or(0);
  route.type = static_cast<RouteType>(header.rtm_type);
  route.scope = static_cast<RouteScope>(header.rtm_scope);
  route.protocol = static_cast<RouteProtocol>(header.rtm_protocol);
  route.source = attributes.address(RTA_PREFSRC);
  const Attributes metrics = attributes.nested(RTA_METRICS);
  route.mtu = metrics.u32(RTAX_MTU).value_or(0);
  route.advmss = metrics.u32(RTAX_ADVMSS).value_or(0);
  if (const auto multipath = attributes.find(RTA_MULTIPATH)) {
    route.hops = decode_multipath(*multipath);
  } else if (attributes.has(RTA_OIF) || attributes.has(RTA_GATEWAY)) {
    route.hops.push_back(
        NextHop{.gateway = attributes.address(RTA_GATEWAY),
                .link = static_cast<LinkIndex>(attributes.u32(RTA_OIF).value_or(0)),
                .onlink = (header.rtm_flags & RTNH_F_ONLINK) != 0});
  }
  return route;
}

Request encode_neighbour(const Neighbour& neighbour) {
  ndmsg header = neighbour_header(native(neighbour.key.address.family()), neighbour.key.link);
  header.ndm_state = static_cast<std::uint16_t>(neighbour.state);
  return Request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE)
      .header(header)
      .address(NDA_DST, neighbour.key.address)
      .mac(NDA_LLADDR, neighbour.mac);
}

Request encode_delete_neighbour(const NeighbourKey& key) {
  return Request(RTM_DELNEIGH, 0)
      .header(neighbour_header(native(key.address.family()), key.link))
      .address(NDA_DST, key.address);
}

std::optional<Neighbour> decode_neighbour(const Message& message) {
  if (message.header.nlmsg_type != RTM_NEWNEIGH && message.header.nlmsg_type != RTM_DELNEIGH)
    return std::nullopt;
  const auto opened = message.open<ndmsg>();
  if (!opened || !family_of(opened->first.ndm_family)) return std::nullopt;
  const auto address = opened->second.address(NDA_DST);
  if (!address) return std::nullopt;
  return Neighbour{
      .key = {.link = static_cast<LinkIndex>(opened->first.ndm_ifindex), .address = *address},
      .mac = opened->second.mac(NDA_LLADDR).value_or(MacAddress{}),
      .state = static_cast<NeighbourState>(opened->first.ndm_state)};
}

Request encode_fdb_entry(const FdbEntry& entry) {
  return fdb_request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, entry);
}

Request encode_delete_fdb_entry(const FdbEntry& entry) {
  return fdb_request(RTM_DELNEIGH, 0, entry);
}

std::optional<FdbEntry> decode_fdb_entry(const Message& message) {
  if (message.header.nlmsg_type != RTM_NEWNEIGH && message.header.nlmsg_type != RTM_DELNEIGH)
    return std::nullopt;
  const auto opened = message.open<ndmsg>();
  if (!opened || opened->first.ndm_family != AF_BRIDGE) return std::nullopt;
  const auto& [header, attributes] = *opened;
  const auto mac = attributes.mac(NDA_LLADDR);
  if (!mac || (header.ndm_flags & NTF_SELF) == 0) return std::nullopt;
  return FdbEntry{.key = {.link = static_cast<LinkIndex>(header.ndm_ifindex), .mac = *mac},
                  .remote = attributes.address(NDA_DST),
                  .permanent = (header.ndm_state & NUD_PERMANENT) != 0};
}

Request encode_rule(const PolicyRule& rule) {
  return rule_request(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

Request encode_delete_rule(const PolicyRule& rule) {
  return rule_request(RTM_DELRULE, 0, rule);
}

std::optional<PolicyRule> decode_rule(const Message& message) {
  if (message.header.nlmsg_type != RTM_NEWRULE && message.header.nlmsg_type != RTM_DELRULE)
    return std::nullopt;
  const auto opened = message.open<fib_rule_hdr>();
  if (!opened || opened->first.action != FR_ACT_TO_TBL) return std::nullopt;
  const auto& [header, attributes] = *opened;
  const auto family = family_of(header.family);
  if (!family) return std::nullopt;
  PolicyRule rule;
  rule.family = *family;
  rule.priority = attributes.u32(FRA_PRIORITY).value_or(0);
  if (header.src_len != 0)
    rule.source = decode_prefix(attributes, FRA_SRC, *family, header.src_len);
  if (header.dst_len != 0)
    rule.destination = decode_prefix(attributes, FRA_DST, *family, header.dst_len);
  rule.incoming_link = attributes.string(FRA_IIFNAME).value_or("");
  rule.mark = attributes.u32(FRA_FWMARK).value_or(0);
  rule.mark_mask = attributes.u32(FRA_FWMASK).value_or(0);
  rule.table = static_cast<RouteTable>(attributes.u32(FRA_TABLE).value_or(header.table));
  return rule;
}

}  // namespace weft::kernel
