// route.h: routes and policy rules as values.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "net/link.h"

namespace weft {

/// Who put a route into the kernel (rtm_protocol, /etc/iproute2/rt_protos).
enum class RouteProtocol : std::uint8_t {
  kUnspecified = 0,
  kKernel = 2,
  kBoot = 3,  ///< what flannel and a hand-typed `ip route add` leave
  kStatic = 4,
  kWeft = 87,  ///< ours, where no device name tells that a route is ours
};

enum class RouteScope : std::uint8_t { kUniverse = 0, kSite = 200, kLink = 253, kHost = 254 };

enum class RouteType : std::uint8_t {
  kUnicast = 1,
  kLocal = 2,
  kBroadcast = 3,
  kAnycast = 4,
  kMulticast = 5,
  kBlackhole = 6,
  kUnreachable = 7,
  kProhibit = 8,
};

enum class RouteTable : std::uint32_t { kMain = 254, kLocal = 255 };

/// What makes two routes the same entry for the kernel: adding one replaces the other.
struct RouteKey {
  Prefix destination = {};
  RouteTable table = RouteTable::kMain;
  std::uint32_t metric = 0;
  auto operator<=>(const RouteKey&) const = default;
};

/// The metric of a route that asks for none: the kernel makes it 1024 for IPv6
/// (IP6_RT_PRIO_USER) and leaves it 0 for IPv4.
constexpr std::uint32_t default_metric(Family family) {
  return family == Family::kIpv4 ? 0 : 1024;
}

/// The key of a route in the main table that asks for no metric.
inline RouteKey main_route(const Prefix& destination) {
  return {.destination = destination, .metric = default_metric(destination.family())};
}

struct NextHop {
  std::optional<IpAddress> gateway = {};
  LinkIndex link = LinkIndex::kNone;
  bool onlink = false;  ///< the gateway is reachable although no route says so
  auto operator<=>(const NextHop&) const = default;
};

struct Route {
  RouteKey key = {};
  RouteType type = RouteType::kUnicast;
  RouteScope scope = RouteScope::kUniverse;
  RouteProtocol protocol = RouteProtocol::kBoot;
  std::vector<NextHop> hops = {};  ///< one, or several of a multipath route; none of a blackhole
  std::optional<IpAddress> source = {};  ///< preferred source address
  std::uint32_t mtu = 0;                 ///< RTAX_MTU; 0 when unset
  std::uint32_t advmss = 0;              ///< RTAX_ADVMSS; 0 when unset
  auto operator<=>(const Route&) const = default;

  /// The device of a route with one hop; kNone otherwise.
  LinkIndex link() const { return hops.size() == 1 ? hops[0].link : LinkIndex::kNone; }
  /// The gateway of a route with one hop.
  std::optional<IpAddress> gateway() const {
    return hops.size() == 1 ? hops[0].gateway : std::nullopt;
  }
};

/// The device through which `address` is reached without a gateway, if that is so: the longest
/// matching route decides, as in the kernel. The network's own broadcast address and this node's
/// address on it are no neighbours.
std::optional<LinkIndex> directly_connected(const std::vector<Route>& routes,
                                            const IpAddress& address);

/// As `ip route` prints it: "10.244.2.0/24 via 10.244.2.0 dev NAME onlink". `link` is the name
/// of its device; empty leaves it out.
std::string describe(const Route& route, std::string_view link);

/// A policy rule: `ip rule`.
struct PolicyRule {
  Family family = Family::kIpv4;
  /// Unset: before the rules for the main table, as the kernel chooses for a new one.
  std::optional<std::uint32_t> priority = {};
  std::optional<Prefix> source = {};
  std::optional<Prefix> destination = {};
  std::string incoming_link = {};
  std::uint32_t mark = 0;
  std::uint32_t mark_mask = 0;
  RouteTable table = RouteTable::kMain;
  auto operator<=>(const PolicyRule&) const = default;
};

}  // namespace weft
