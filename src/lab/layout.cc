#include "lab/layout.h"

#include <algorithm>
#include <set>

#include "lab/names.h"
#include "lab/services.h"

namespace weft::lab {
namespace {

// The link between router and outside host, out of the ranges for benchmarks and documentation
// (RFC 2544, RFC 3849): nobody's lab has nodes there.
const char* const kWanRouter = "198.18.0.1/30";
const char* const kWanOutside = "198.18.0.2/30";
const char* const kWanRouter6 = "2001:db8:ffff::1/126";
const char* const kWanOutside6 = "2001:db8:ffff::2/126";

InterfaceAddress fixed(const char* text) {
  return *InterfaceAddress::parse(text);
}

bool has_ipv6(const Lab& lab) {
  for (const auto& node : lab.nodes)
    for (const auto& address : node.addresses)
      if (!address.address.is_v4()) return true;
  return false;
}

std::string numbered(const char* stem, std::size_t number) {
  return stem + std::to_string(number);
}

class Planner {
 public:
  explicit Planner(const Lab& lab) : lab_(lab) { layout_.mtu = lab.mtu; }

  Layout plan() {
    layout_.spaces = {kUnderlay, kRouter, kOutside};
    for (const auto& node : lab_.nodes) layout_.spaces.push_back(node.name);
    // In this order the two ends of a cable never get the same device number. The kernel takes a
    // veth with its peer's number for one without a peer, and lets up to a second pass before it
    // sends (linkwatch_urgent_event).
    for (std::size_t i = 0; i < lab_.segments.size(); ++i) plan_segment(i);
    plan_wan();
    for (std::size_t i = 0; i < lab_.segments.size(); ++i) plan_lan_host(i);
    for (const auto& node : lab_.nodes) plan_node(node);
    plan_external_addresses();
    plan_sysctls();
    return std::move(layout_);
  }

 private:
  void plan_wan() {
    Cable wan{.a = {.space = kRouter, .device = "wan", .addresses = {fixed(kWanRouter)}},
              .b = {.space = kOutside, .device = "eth0", .addresses = {fixed(kWanOutside)}}};
    if (has_ipv6(lab_)) {
      wan.a.addresses.push_back(fixed(kWanRouter6));
      wan.b.addresses.push_back(fixed(kWanOutside6));
    }
    for (const auto& address : lab_.outside) {
      if (on_a_segment(address)) continue;
      wan.b.addresses.push_back({.address = address, .length = address_bits(address.family())});
      layout_.routes.push_back({kRouter, Prefix::host(address),
                                fixed(address.is_v4() ? kWanOutside : kWanOutside6).address});
    }
    layout_.cables.push_back(std::move(wan));
  }

  bool on_a_segment(const IpAddress& address) const {
    return std::any_of(lab_.segments.begin(), lab_.segments.end(),
                       [&](const Segment& segment) { return segment.holds(address); });
  }

  void plan_segment(std::size_t index) {
    const Segment& segment = lab_.segments[index];
    const std::string bridge = numbered("seg", index);
    const std::string leg = numbered("gw", index);
    layout_.bridges.push_back({kUnderlay, bridge});
    layout_.cables.push_back({.a = {.space = kRouter, .device = leg, .addresses = segment.gateways},
                              .b = {.space = kUnderlay, .device = leg, .bridge = bridge}});
    const auto lan = lan_addresses(segment);
    for (const auto& network : networks_of(segment)) {
      const char* way_back = network.family() == Family::kIpv4 ? kWanRouter : kWanRouter6;
      const bool has_leg = std::any_of(lan.begin(), lan.end(), [&](const InterfaceAddress& host) {
        return host.network() == network;
      });
      if (!has_leg) layout_.routes.push_back({kOutside, network, fixed(way_back).address});
    }
  }

  void plan_lan_host(std::size_t index) {
    const auto lan = lan_addresses(lab_.segments[index]);
    if (lan.empty()) return;
    layout_.cables.push_back(
        {.a = {.space = kOutside, .device = numbered("lan", index), .addresses = lan},
         .b = {.space = kUnderlay,
               .device = numbered("host", index),
               .bridge = numbered("seg", index)}});
  }

  // The outside host's addresses that are hosts of the segment's LAN.
  std::vector<InterfaceAddress> lan_addresses(const Segment& segment) const {
    std::vector<InterfaceAddress> addresses;
    for (const auto& network : networks_of(segment))
      for (const auto& address : lab_.outside)
        if (network.contains(address)) addresses.push_back({address, network.length()});
    return addresses;
  }

  static std::set<Prefix> networks_of(const Segment& segment) {
    std::set<Prefix> networks;
    for (const auto& gateway : segment.gateways) networks.insert(gateway.network());
    return networks;
  }

  void plan_node(const Node& node) {
    const auto segment = std::find_if(
        lab_.segments.begin(), lab_.segments.end(),
        [&](const Segment& wire) { return wire.holds(node.addresses.front().address); });
    const auto index = static_cast<std::size_t>(segment - lab_.segments.begin());
    layout_.cables.push_back(
        {.a = {.space = node.name, .device = "eth0", .addresses = node.addresses},
         .b = {.space = kUnderlay, .device = node.name, .bridge = numbered("seg", index)}});
    for (const auto& gateway : node.gateways)
      layout_.routes.push_back({node.name, Prefix(IpAddress::any(gateway.family()), 0), gateway});
  }

  // As a router that a service's external addresses are announced to: a node with an endpoint gets
  // what is sent to them, and the outside host knows the way to the router.
  void plan_external_addresses() {
    for (const auto& service : services_of(lab_))
      for (const auto* addresses : {&service.external_ips, &service.load_balancer_ips})
        for (const auto& address : *addresses) {
          if (on_a_segment(address)) continue;
          for (const auto& host : announcer_of(service).addresses)
            if (host.address.family() == address.family())
              layout_.routes.push_back({kRouter, Prefix::host(address), host.address});
          const char* router = address.is_v4() ? kWanRouter : kWanRouter6;
          layout_.routes.push_back({kOutside, Prefix::host(address), fixed(router).address});
        }
  }

  const Node& announcer_of(const Service& service) const {
    for (const auto& pod : lab_.pods)
      if (selects(service, pod)) return *lab_.node(pod.node);
    return lab_.nodes.front();
  }

  void plan_sysctls() {
    for (const auto& space : layout_.spaces) {
      const bool forwards = space != kUnderlay && space != kOutside;
      if (forwards) {
        layout_.sysctls.push_back({space, "net/ipv4/ip_forward", "1"});
        layout_.sysctls.push_back({space, "net/ipv6/conf/all/forwarding", "1"});
      }
      // The LAN host is asked over one leg and answers over another.
      if (space == kOutside || space == kRouter)
        layout_.sysctls.push_back({space, "net/ipv4/conf/all/rp_filter", "0"});
    }
    for (const auto& node : lab_.nodes)
      for (const auto& [name, value] : lab_.node_sysctls)
        layout_.sysctls.push_back({node.name, name, value});
  }

  const Lab& lab_;
  Layout layout_;
};

}  // namespace

Layout plan_layout(const Lab& lab) {
  return Planner(lab).plan();
}

}  // namespace weft::lab
