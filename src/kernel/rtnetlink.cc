#include "kernel/rtnetlink.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <utility>

namespace weft::kernel {
namespace {

std::uint8_t native(Family family) {
  return family == Family::kIpv4 ? AF_INET : AF_INET6;
}

std::string named(LinkIndex link) {
  return "device number " + std::to_string(static_cast<int>(link));
}

template <class Value>
Result<Value> in_words(const char* tried, Result<Value> result) {
  if (!result) return because(tried, std::move(result).error());
  return result;
}

}  // namespace

Status ignore_errno(Status status, int number) {
  if (!status && status.error().number == number) return {};
  return status;
}

Result<Rtnetlink> Rtnetlink::open() {
  ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(NETLINK_ROUTE));
  return Rtnetlink(std::move(socket));
}

Status Rtnetlink::request(Request request, const std::string& tried) {
  Status status = socket_.request(std::move(request));
  if (!status) return because(tried, std::move(status).error());
  return status;
}

Result<std::vector<Link>> Rtnetlink::links() {
  ifinfomsg header{};
  Request request(RTM_GETLINK, 0);
  // The counters of a thousand devices are half a megabyte that nobody reads here.
  request.header(header).u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return in_words("listing the links", socket_.dump<Link>(request, decode_link));
}

Result<std::optional<Link>> Rtnetlink::get_link(Request request) {
  std::optional<Link> found;
  const Status status = socket_.query(
      std::move(request), [&](const Message& message) { found = decode_link(message); });
  if (!status && status.error().number == ENODEV) return std::optional<Link>();
  if (!status) return because("reading a link", status.error());
  return found;
}

Result<std::optional<Link>> Rtnetlink::link(std::string_view name) {
  return get_link(encode_get_link(name));
}

Result<std::optional<Link>> Rtnetlink::link(LinkIndex index) {
  return get_link(encode_get_link(index));
}

Result<LinkCounters> Rtnetlink::counters(LinkIndex index) {
  std::optional<LinkCounters> counters;
  const Status status = socket_.query(encode_get_link(index), [&](const Message& message) {
    counters = decode_link_counters(message);
  });
  if (!status) return because("reading the counters of " + named(index), status.error());
  if (!counters) return fail("reading the counters of " + named(index) + ": there are none");
  return *counters;
}

Status Rtnetlink::create(const NewLink& link) {
  return request(encode_new_link(link), "creating " + link.name);
}

Status Rtnetlink::change(LinkIndex link, const LinkChange& change) {
  return request(encode_link_change(link, change), "changing " + named(link));
}

Status Rtnetlink::set_port(LinkIndex port, const BridgePort& options) {
  return request(encode_port_change(port, options), "changing the bridge port " + named(port));
}

Status Rtnetlink::remove(LinkIndex link) {
  return request(encode_delete_link(link), "deleting " + named(link));
}

Result<std::vector<LinkAddress>> Rtnetlink::addresses(LinkIndex link) {
  ifaddrmsg header{};
  header.ifa_index = static_cast<std::uint32_t>(link);
  Request request(RTM_GETADDR, 0);
  request.header(header);
  return in_words("listing the addresses", socket_.dump<LinkAddress>(request, decode_address));
}

Status Rtnetlink::add(const LinkAddress& address, bool without_dad) {
  return request(encode_new_address(address, without_dad),
                 "adding the address " + address.key.address.to_string());
}

Status Rtnetlink::remove(const LinkAddressKey& address) {
  return request(encode_delete_address(address),
                 "removing the address " + address.address.to_string());
}

Result<std::vector<Route>> Rtnetlink::routes(Family family, RouteTable table,
                                             std::optional<RouteType> type) {
  rtmsg header{};
  header.rtm_family = native(family);
  if (type) header.rtm_type = static_cast<std::uint8_t>(*type);
  Request request(RTM_GETROUTE, 0);
  request.header(header).u32(RTA_TABLE, static_cast<std::uint32_t>(table));
  // The kernel filters where it can (since 4.20); here nothing else passes either.
  auto routes = socket_.dump<Route>(request, [table, type](const Message& message) {
    auto route = decode_route(message);
    if (route && (route->key.table != table || (type && route->type != *type))) route.reset();
    return route;
  });
  // A table springs into being with its first route.
  if (!routes && routes.error().number == ENOENT) return std::vector<Route>();
  return in_words("listing the routes", std::move(routes));
}

Status Rtnetlink::put(const Route& route, RouteWrite write) {
  return request(encode_route(route, write),
                 "adding the route " + route.key.destination.to_string());
}

Status Rtnetlink::remove(const Route& route) {
  return request(encode_delete_route(route),
                 "removing the route " + route.key.destination.to_string());
}

Result<Route> Rtnetlink::route_to(const IpAddress& destination) {
  std::optional<Route> found;
  const Status status = socket_.query(encode_get_route(destination), [&](const Message& message) {
    found = decode_route(message);
  });
  const std::string tried = "looking up the route to " + destination.to_string();
  if (!status) return because(tried, status.error());
  if (!found) return fail(tried + ": the kernel gave none");
  return *found;
}

Result<std::vector<Neighbour>> Rtnetlink::neighbours(Family family, LinkIndex link) {
  ndmsg header{};
  header.ndm_family = native(family);
  Request request(RTM_GETNEIGH, 0);
  request.header(header).u32(NDA_IFINDEX, static_cast<std::uint32_t>(link));
  return in_words("listing the neighbours",
                  socket_.dump<Neighbour>(request, [link](const Message& message) {
                    auto neighbour = decode_neighbour(message);
                    if (neighbour && neighbour->key.link != link) neighbour.reset();
                    return neighbour;
                  }));
}

Result<std::vector<FdbEntry>> Rtnetlink::fdb(LinkIndex link) {
  ndmsg header{};
  header.ndm_family = AF_BRIDGE;
  header.ndm_ifindex = static_cast<int>(link);
  Request request(RTM_GETNEIGH, 0);
  request.header(header);
  return in_words("listing the forwarding entries",
                  socket_.dump<FdbEntry>(request, [link](const Message& message) {
                    auto entry = decode_fdb_entry(message);
                    if (entry && entry->key.link != link) entry.reset();
                    return entry;
                  }));
}

Result<std::vector<PolicyRule>> Rtnetlink::rules(Family family) {
  fib_rule_hdr header{};
  header.family = native(family);
  Request request(RTM_GETRULE, 0);
  request.header(header);
  return in_words("listing the policy rules", socket_.dump<PolicyRule>(request, decode_rule));
}

}  // namespace weft::kernel
