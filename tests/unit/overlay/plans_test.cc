// The planners of routes, devices and rules: facts in, kernel objects out.
#include <gtest/gtest.h>

#include "overlay/blackhole_plan.h"
#include "overlay/host_gw_plan.h"
#include "overlay/jump_place.h"
#include "overlay/masquerade_plan.h"
#include "overlay/route_ownership.h"
#include "overlay/routed_elsewhere.h"
#include "overlay/stale_devices.h"
#include "overlay/vxlan_plan.h"

namespace weft::overlay {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}
Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}
MacAddress mac(const char* text) {
  return MacAddress::parse(text).value();
}

constexpr LinkIndex kUplink{2};
constexpr LinkIndex kVtep{9};

Route route(const char* destination, LinkIndex link, std::optional<IpAddress> gateway = {},
            RouteProtocol protocol = RouteProtocol::kBoot) {
  return {.key = {.destination = prefix(destination)},
          .protocol = protocol,
          .hops = {{.gateway = gateway, .link = link}}};
}

// A node on 192.0.2.0/24 with a default route.
std::vector<Route> node_routes() {
  return {route("0.0.0.0/0", kUplink, ip("192.0.2.254")),
          route("192.0.2.0/24", kUplink, {}, RouteProtocol::kKernel)};
}

std::vector<Peer> two_peers() {
  return {{.subnet = prefix("10.3.2.0/24"),
           .public_address = ip("192.0.2.2"),
           .vtep_mac = mac("02:00:00:00:00:02")},
          {.subnet = prefix("10.3.3.0/24"),
           .public_address = ip("198.51.100.3"),
           .vtep_mac = mac("02:00:00:00:00:03")}};
}

Vtep vtep() {
  return plan_vtep({}, prefix("10.3.1.0/24"), mac("02:00:00:00:00:01"), kUplink, 1500,
                   ip("192.0.2.1"));
}

Link device(const Vtep& planned) {
  return {.index = kVtep,
          .name = planned.name,
          .kind = "vxlan",
          .mac = planned.mac,
          .mtu = planned.device.mtu,
          .up = true,
          .vxlan = planned.options};
}

std::vector<LinkAddress> addresses(std::initializer_list<const char*> texts) {
  std::vector<LinkAddress> result;
  for (const char* text : texts)
    result.push_back({.key = {.link = kVtep, .address = InterfaceAddress::parse(text).value()}});
  return result;
}

TEST(VxlanPlan, TheDeviceIsFlannels) {
  const Vtep planned = vtep();
  EXPECT_EQ(planned.name, "flannel.1");
  EXPECT_EQ(planned.device.mtu, 1450U);
  EXPECT_EQ(planned.device.address.to_string(), "10.3.1.0/32");
  EXPECT_EQ(planned.options.port, 8472);
  EXPECT_FALSE(planned.options.learning);

  const Vtep v6 = plan_vtep({.vni = Vni{4096}, .mtu = 9000}, prefix("fc00:0:0:1::/64"), planned.mac,
                            kUplink, 1500, ip("2001:db8::1"));
  EXPECT_EQ(v6.name, "flannel-v6.4096");
  EXPECT_EQ(v6.device.mtu, 8930U);
  EXPECT_EQ(v6.device.address.to_string(), "fc00:0:0:1::/128");
}

TEST(VxlanPlan, APeerIsARouteANeighbourAndAForwardingEntry) {
  const auto tables = plan_vxlan_peers({}, kVtep, two_peers(), node_routes());
  EXPECT_EQ(tables.routes.size(), 2U);
  EXPECT_EQ(tables.neighbours.size(), 2U);
  EXPECT_EQ(tables.fdb.size(), 2U);
  const Route& first = tables.routes.at({.destination = prefix("10.3.2.0/24")});
  EXPECT_EQ(describe(first, "flannel.1"), "10.3.2.0/24 via 10.3.2.0 dev flannel.1 onlink");
  EXPECT_EQ(first.protocol, RouteProtocol::kBoot);
  EXPECT_EQ(tables.neighbours.at({.link = kVtep, .address = ip("10.3.2.0")}).mac,
            mac("02:00:00:00:00:02"));
  EXPECT_EQ(tables.fdb.at({.link = kVtep, .mac = mac("02:00:00:00:00:02")}).remote,
            ip("192.0.2.2"));
}

TEST(VxlanPlan, DirectRoutingSparesTheTunnelWhereThePeerIsNextDoor) {
  const auto tables = plan_vxlan_peers({.direct_routing = true}, kVtep, two_peers(), node_routes());
  const Route& near = tables.routes.at({.destination = prefix("10.3.2.0/24")});
  EXPECT_EQ(describe(near, ""), "10.3.2.0/24 via 192.0.2.2");
  EXPECT_EQ(near.link(), kUplink);
  EXPECT_EQ(near.protocol, RouteProtocol::kWeft);
  EXPECT_EQ(tables.routes.at({.destination = prefix("10.3.3.0/24")}).link(), kVtep);
  EXPECT_EQ(tables.neighbours.size(), 1U);
}

TEST(VxlanPlan, ADeviceAsPlannedNeedsNothing) {
  EXPECT_EQ(diff_vtep(vtep(), device(vtep())), VtepEdits{});
}

TEST(VxlanPlan, ADeviceOfTheWrongKindIsMadeAnewAndAnotherMacIsSet) {
  EXPECT_EQ(diff_vtep(vtep(), std::nullopt), VtepEdits{.create = true});

  Link changed = device(vtep());
  changed.mac = mac("02:00:00:00:00:99");
  EXPECT_EQ(diff_vtep(vtep(), changed), VtepEdits{.set_mac = vtep().mac});

  for (const auto& spoil :
       std::vector<void (*)(Link&)>{[](Link& link) { link.vxlan->vni = Vni{5}; },
                                    [](Link& link) { link.vxlan->port = 4789; },
                                    [](Link& link) { link.vxlan->local = ip("192.0.2.9"); },
                                    [](Link& link) { link.vxlan->underlay = LinkIndex{77}; },
                                    [](Link& link) { link.vxlan->gbp = true; },
                                    [](Link& link) { link.vxlan->learning = true; },
                                    [](Link& link) {
                                      link.kind = "dummy";
                                      link.vxlan.reset();
                                    }}) {
    Link other = device(vtep());
    spoil(other);
    const VtepEdits edits = diff_vtep(vtep(), other);
    EXPECT_TRUE(edits.create);
    EXPECT_FALSE(edits.remove_because.empty());
  }
}

TEST(TunnelDevicePlan, RepairsWhatDiffersAndNothingElse) {
  const Vtep planned = vtep();
  const Prefix network = prefix("10.3.0.0/16");
  const auto edits = [&](const Link& link, std::initializer_list<const char*> present) {
    return diff_tunnel_device(planned.device, network, link, addresses(present));
  };
  EXPECT_EQ(edits(device(planned), {"10.3.1.0/32", "169.254.1.1/16"}), TunnelDeviceEdits{});

  Link changed = device(planned);
  changed.mtu = 1400;
  changed.up = false;
  EXPECT_EQ(edits(changed, {"10.3.1.0/32"}), (TunnelDeviceEdits{.set_mtu = 1450, .set_up = true}));

  const auto moved = edits(device(planned), {"10.3.7.0/32"});
  EXPECT_TRUE(moved.add_address);
  ASSERT_EQ(moved.remove_addresses.size(), 1U);
  EXPECT_EQ(moved.remove_addresses[0].to_string(), "10.3.7.0/32");
}

TEST(HostGwPlan, RoutesNeighboursNextDoorAndNamesTheOthers) {
  const HostGwPlan plan = plan_host_gw(kUplink, two_peers(), node_routes());
  ASSERT_EQ(plan.tables.routes.size(), 1U);
  EXPECT_EQ(describe(plan.tables.routes.begin()->second, ""), "10.3.2.0/24 via 192.0.2.2");
  ASSERT_EQ(plan.unreachable.size(), 1U);
  EXPECT_NE(plan.unreachable[0].find("10.3.3.0/24"), std::string::npos);
  EXPECT_TRUE(plan.tables.neighbours.empty());
}

TEST(DirectlyConnected, TheLongestAndCheapestRouteDecides) {
  auto routes = node_routes();
  EXPECT_EQ(directly_connected(routes, ip("192.0.2.7")), kUplink);
  EXPECT_EQ(directly_connected(routes, ip("203.0.113.1")), std::nullopt);
  routes.push_back(route("192.0.2.7/32", kUplink, ip("192.0.2.254")));
  EXPECT_EQ(directly_connected(routes, ip("192.0.2.7")), std::nullopt);
  EXPECT_EQ(directly_connected({}, ip("192.0.2.7")), std::nullopt);
}

TEST(DirectlyConnected, TheBroadcastAddressAndTheNodesOwnAreNoNeighbours) {
  auto routes = node_routes();
  routes[1].source = ip("192.0.2.1");
  EXPECT_EQ(directly_connected(routes, ip("192.0.2.1")), std::nullopt);
  EXPECT_EQ(directly_connected(routes, ip("192.0.2.255")), std::nullopt);
  EXPECT_EQ(directly_connected(routes, ip("192.0.2.254")), kUplink);
  // A point-to-point network has no broadcast address (RFC 3021).
  EXPECT_EQ(directly_connected({route("192.0.2.2/31", kUplink)}, ip("192.0.2.3")), kUplink);
}

PodNetwork pod_network() {
  return {.network = prefix("10.3.0.0/16"),
          .subnet_length = 24,
          .first = prefix("10.3.1.0/24"),
          .last = prefix("10.3.255.0/24")};
}

TEST(RouteOwnership, OursIsWhatTheDeviceTheProtocolOrFlannelsFormTells) {
  const std::vector<Route> routes{
      route("10.3.2.0/24", kVtep, ip("10.3.2.0")),
      route("10.3.3.0/24", kUplink, ip("192.0.2.3"), RouteProtocol::kWeft),
      route("10.3.4.0/24", kUplink, ip("192.0.2.4")),                          // flannel's host-gw
      route("10.3.5.0/24", kUplink, ip("192.0.2.5"), RouteProtocol::kStatic),  // a person's
      route("10.3.6.0/24", LinkIndex{5}, {}, RouteProtocol::kKernel),          // cni0
      route("10.3.0.0/16", kUplink, ip("192.0.2.9")),                          // no subnet
      route("10.9.1.0/24", kUplink, ip("192.0.2.9"), RouteProtocol::kWeft),    // no pods
  };
  const auto sorted = sort_routes(routes, pod_network(), kVtep, kUplink);
  std::vector<std::string> ours;
  for (const auto& [route_key, found] : sorted.ours)
    ours.push_back(route_key.destination.to_string());
  EXPECT_EQ(ours, (std::vector<std::string>{"10.3.2.0/24", "10.3.3.0/24", "10.3.4.0/24"}));
  EXPECT_EQ(sorted.foreign.size(), 4U);
}

TEST(RouteOwnership, AForeignRouteIsNotReplacedButNamed) {
  auto desired = plan_vxlan_peers({}, kVtep, two_peers(), node_routes()).routes;
  Route foreign = route("10.3.2.0/24", LinkIndex{5}, {}, RouteProtocol::kStatic);
  foreign.key.metric = 100;
  const auto conflicts = yield_to_foreign(desired, {foreign});
  ASSERT_EQ(conflicts.size(), 1U);
  EXPECT_NE(conflicts[0].find("10.3.2.0/24"), std::string::npos);
  EXPECT_EQ(desired.size(), 1U);
}

TEST(Forwarding, EditsMakeTablesEqualAndASecondDiffIsEmpty) {
  const auto desired = plan_vxlan_peers({}, kVtep, two_peers(), node_routes());
  ForwardingTables actual = desired;
  actual.routes.erase(actual.routes.begin());
  actual.neighbours.begin()->second.mac = mac("02:00:00:00:00:77");
  const FdbKey stale{.link = kVtep, .mac = mac("02:00:00:00:00:88")};
  actual.fdb[stale] = {.key = stale, .remote = ip("192.0.2.8")};
  const ForwardingEdits edits = diff(desired, actual);
  EXPECT_EQ(edits.routes.put.size(), 1U);
  EXPECT_TRUE(edits.neighbours.put.at(0).replaces);
  EXPECT_EQ(edits.fdb.drop, std::vector{stale});
  EXPECT_TRUE(diff(desired, desired).empty());
}

TEST(MasqueradePlan, TheIptablesRulesAreFlannelsToTheLetter) {
  const auto chains =
      plan_iptables({.network = prefix("10.244.0.0/16"), .subnet = prefix("10.244.1.0/24")});
  ASSERT_EQ(chains.size(), 2U);
  EXPECT_EQ(chains[0].chain, "FLANNEL-POSTRTG");
  EXPECT_EQ(
      chains[0].rules,
      (std::vector<std::string>{
          R"(-m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN)",
          R"(-s 10.244.1.0/24 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j RETURN)",
          R"(-s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN)",
          R"(! -s 10.244.0.0/16 -d 10.244.1.0/24 -m comment --comment "flanneld masq" -j RETURN)",
          R"(-s 10.244.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully)",
          R"(! -s 10.244.0.0/16 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully)"}));
  EXPECT_EQ(chains[1].table, "filter");
  EXPECT_EQ(chains[1].rules.size(), 2U);
}

TEST(MasqueradePlan, WhatIsSwitchedOffIsNotPlanned) {
  MasqueradeFacts facts{.network = prefix("fc00::/48"),
                        .subnet = prefix("fc00:0:0:1::/64"),
                        .masquerade = true,
                        .forward = false,
                        .random_fully = false};
  const auto chains = plan_iptables(facts);
  ASSERT_EQ(chains.size(), 1U);
  EXPECT_EQ(chains[0].rules[4],
            R"(-s fc00::/48 ! -d ff00::/8 -m comment --comment "flanneld masq" -j MASQUERADE)");
  facts.masquerade = false;
  EXPECT_TRUE(plan_iptables(facts).empty());
}

TEST(MasqueradePlan, TheTableOfNftablesModeIsTheAgents) {
  EXPECT_EQ(nftables_table(Family::kIpv4, "").to_string(), "ip flannel-ipv4");
  EXPECT_EQ(nftables_table(Family::kIpv6, "").to_string(), "ip6 flannel-ipv6");
  EXPECT_EQ(nftables_table(Family::kIpv4, "blue.2").to_string(), "ip flannel-ipv4-blue.2");
  EXPECT_EQ(nftables_table(Family::kIpv4, "a b;c").to_string(), "ip flannel-ipv4-a_b_c");
}

TEST(JumpPlace, ItComesLastButBeforeWhatEndsEveryPacket) {
  IptablesTable table;
  const auto chain = [&](const char* name, std::vector<std::string> rules) {
    table.chains[name] = {.policy = {}, .rules = std::move(rules)};
  };
  chain("KUBE-FORWARD", {"-m conntrack --ctstate INVALID -j DROP"});
  chain("ufw-reject-forward", {"-m comment --comment \"a \\\"b\\\" -j x\" -j REJECT"});
  chain("allow", {"-s 10.0.0.1/32 -j RETURN", "-j ACCEPT", "-j DROP"});
  chain("round", {"-j round"});  // the kernel refuses such a chain
  chain("DOCKER", {"! -i docker0 -o docker0 -j DROP"});
  chain("DOCKER-FORWARD", {"-j DOCKER-BRIDGE", "-i docker0 -j ACCEPT"});
  chain("DOCKER-BRIDGE", {"-o docker0 -j DOCKER"});
  chain("DOCKER-USER", {"-s 192.0.2.9/32 -j DROP"});
  chain("DOCKER-ISOLATION-STAGE-1", {"-i docker0 ! -o docker0 -j DROP"});
  const struct {
    std::vector<std::string> rules;
    std::size_t place;
  } cases[] = {
      {{}, 0},
      {{"-j KUBE-FORWARD", "-i docker0 -j DROP"}, 2},
      {{"-j KUBE-FORWARD", "-j REJECT --reject-with icmp-host-prohibited", "-j LOG"}, 1},
      {{"-m comment --comment last -j DROP"}, 0},
      {{"-m comment --comment \"the last\" -j DROP"}, 0},
      {{"-j allow", "-j ufw-reject-forward"}, 1},
      {{"-i eth0 -j ufw-reject-forward"}, 1},
      {{"-j round", "-j nowhere", "-g ufw-reject-forward"}, 2},
      {{"-j DOCKER-USER", "-j DOCKER-ISOLATION-STAGE-1", "-o docker0 -j DOCKER"}, 2},
      {{"-j DOCKER-USER", "-j DOCKER-FORWARD"}, 1},
  };
  for (const auto& [rules, place] : cases)
    EXPECT_EQ(place_jump(rules, table), place) << (rules.empty() ? "" : rules.back());
  // Docker 18 to 27: its chain drops nothing.
  chain("DOCKER", {"-d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp --dport 80 -j ACCEPT"});
  EXPECT_EQ(place_jump({"-o docker0 -j DOCKER", "-j LOG"}, table), 2U);
}

TEST(RoutedElsewhere, IsWhatNeitherThePodsNorAnOverlayReach) {
  const NetConf conf = NetConf::parse(R"({"Network":"10.3.0.0/16"})").value();
  const auto found = [&](const Route& route) {
    const NodeNetwork network{
        .links = {{.index = kUplink, .name = "eth0"}, {.index = kVtep, .name = "flannel.1"}},
        .addresses = {},
        .routes = {{Family::kIpv4, {route}}}};
    return routed_elsewhere(network, conf, {"flannel.1"}, LeaseKey{.ipv4 = prefix("10.3.1.0/24")});
  };
  EXPECT_EQ(found(route("10.3.64.0/20", kUplink)), std::vector{prefix("10.3.64.0/20")});
  EXPECT_EQ(found(route("10.0.0.0/8", kUplink, ip("192.0.2.254"))),
            std::vector{prefix("10.0.0.0/8")});
  for (const Route& harmless :
       {route("0.0.0.0/0", kUplink, ip("192.0.2.254")), route("172.16.0.0/12", kUplink),
        route("10.3.1.0/24", LinkIndex{4}), route("10.3.7.0/24", kUplink, ip("192.0.2.7")),
        route("10.3.8.0/24", kVtep)})
    EXPECT_TRUE(found(harmless).empty()) << describe(harmless, "");
}

TEST(StaleDevices, AreOfAFormerBackendOfOurNetworkAlone) {
  const NetConf conf = NetConf::parse(R"({"Network":"10.3.0.0/16"})").value();
  const auto stale = [&](const NetConf& of, const char* name, const char* kind,
                         const char* address) {
    const Link link{.index = kVtep, .name = name, .kind = kind};
    return !stale_devices(of, {"flannel0"}, {link}, addresses({address})).empty();
  };
  EXPECT_TRUE(stale(conf, "flannel.1", "vxlan", "10.3.1.0/32"));
  EXPECT_TRUE(stale(conf, "flannel-v6.7", "vxlan", "10.3.1.0/32"));
  EXPECT_FALSE(stale(conf, "flannel0", "tun", "10.3.1.0/32")) << "the present one";
  EXPECT_FALSE(stale(conf, "flannel.1", "vxlan", "10.9.1.0/32")) << "of another network";
  EXPECT_FALSE(stale(conf, "flannel.1", "bridge", "10.3.1.0/32"));
  EXPECT_FALSE(stale(conf, "vxlan0", "vxlan", "10.3.1.0/32"));
  const NetConf alloc =
      NetConf::parse(R"({"Network":"10.3.0.0/16","Backend":{"Type":"alloc"}})").value();
  EXPECT_FALSE(stale(alloc, "flannel.1", "vxlan", "10.3.1.0/32"));
}

TEST(BlackholePlan, AStaleOneGoesAndOneThatIsThereStays) {
  const PodNetwork network{.network = prefix("10.3.0.0/16"), .first = {}, .last = {}};
  const auto blackhole = [](const char* destination, RouteProtocol protocol) {
    return Route{.key = {.destination = prefix(destination), .metric = kBlackholeMetric},
                 .type = RouteType::kBlackhole,
                 .protocol = protocol};
  };
  const Route own = blackhole("10.3.1.0/24", RouteProtocol::kWeft);
  const Route stale = blackhole("10.3.9.0/24", RouteProtocol::kWeft);
  const Route foreign = blackhole("10.3.1.0/24", RouteProtocol::kBoot);
  const Route elsewhere = blackhole("172.16.0.0/24", RouteProtocol::kWeft);

  const auto missing = plan_blackhole({stale, elsewhere}, network, prefix("10.3.1.0/24"));
  EXPECT_EQ(missing.desired, (std::map<RouteKey, Route>{{own.key, own}}));
  EXPECT_EQ(missing.actual, (std::map<RouteKey, Route>{{stale.key, stale}}));
  const auto there = plan_blackhole({own}, network, prefix("10.3.1.0/24"));
  EXPECT_EQ(there.desired, there.actual);
  EXPECT_TRUE(plan_blackhole({foreign}, network, prefix("10.3.1.0/24")).desired.empty());
  EXPECT_TRUE(plan_blackhole({own}, network, std::nullopt).desired.empty());
}

}  // namespace
}  // namespace weft::overlay
