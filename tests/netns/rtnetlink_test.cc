#include "kernel/rtnetlink.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "fresh_netns.h"

namespace weft::kernel {
namespace {

using test::in_fresh_netns;
using test::must;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}
Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}
MacAddress mac(const char* text) {
  return MacAddress::parse(text).value();
}

Link link_named(Rtnetlink& rtnetlink, const char* name) {
  return must(rtnetlink.link(name)).value();
}

void add_address(Rtnetlink& rtnetlink, LinkIndex link, const char* text) {
  must(rtnetlink.add({.key = {.link = link, .address = InterfaceAddress::parse(text).value()}}));
}

// A veth pair "a" - "b", both up, "a" with an address.
Link make_pair_of_veths(Rtnetlink& rtnetlink, const char* address) {
  must(rtnetlink.create({.name = "a", .kind = "veth", .up = true, .peer = VethPeer{.name = "b"}}));
  must(rtnetlink.change(link_named(rtnetlink, "b").index, {.up = true}));
  const Link a = link_named(rtnetlink, "a");
  add_address(rtnetlink, a.index, address);
  return a;
}

TEST(Rtnetlink, VxlanReadsBackAsItWasMade) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    const Link uplink = make_pair_of_veths(rtnetlink, "192.0.2.1/24");
    const VxlanOptions options{.vni = Vni{7},
                               .underlay = uplink.index,
                               .local = ip("192.0.2.1"),
                               .port = 8472,
                               .learning = false,
                               .gbp = true};
    must(rtnetlink.create({.name = "flannel.7",
                           .kind = "vxlan",
                           .mac = mac("02:00:00:00:00:07"),
                           .mtu = 1450,
                           .up = true,
                           .vxlan = options}));
    const Link made = link_named(rtnetlink, "flannel.7");
    EXPECT_EQ(made.vxlan, options);
    EXPECT_EQ(made.mtu, 1450U);
    EXPECT_EQ(made.mac, mac("02:00:00:00:00:07"));
    EXPECT_TRUE(made.up);
  });
}

TEST(Rtnetlink, BridgePortFlagsReadBack) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    must(rtnetlink.create({.name = "br", .kind = "bridge", .up = true, .bridge = BridgeOptions{}}));
    const Link bridge = link_named(rtnetlink, "br");
    EXPECT_EQ(bridge.bridge, BridgeOptions{});
    must(rtnetlink.create({.name = "p",
                           .kind = "veth",
                           .up = true,
                           .master = bridge.index,
                           .peer = VethPeer{.name = "q"}}));
    const Link port = link_named(rtnetlink, "p");
    EXPECT_EQ(port.master, bridge.index);
    must(rtnetlink.set_port(port.index, {.hairpin = true, .isolated = true, .learning = false}));
    EXPECT_EQ(link_named(rtnetlink, "p").port,
              (BridgePort{.hairpin = true, .isolated = true, .learning = false}));
  });
}

TEST(Rtnetlink, VethPeerIsMadeInAnotherNamespace) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    const Netns other = must(Netns::create());
    must(rtnetlink.create(
        {.name = "host0",
         .kind = "veth",
         .peer =
             VethPeer{.name = "eth0", .mac = mac("02:00:00:00:00:01"), .netns_fd = other.fd()}}));
    EXPECT_TRUE(link_named(rtnetlink, "host0").peer_netns.has_value());
    EXPECT_FALSE(must(rtnetlink.link("eth0")).has_value());
    const auto visit = must(NetnsVisit::enter(other));
    auto inside = must(Rtnetlink::open());
    EXPECT_EQ(link_named(inside, "eth0").mac, mac("02:00:00:00:00:01"));
  });
}

TEST(Rtnetlink, OnlinkRouteNeighbourAndForwardingEntryReadBackAndGo) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    make_pair_of_veths(rtnetlink, "192.0.2.1/24");
    must(rtnetlink.create({.name = "flannel.1",
                           .kind = "vxlan",
                           .up = true,
                           .vxlan = VxlanOptions{.local = ip("192.0.2.1")}}));
    const LinkIndex vtep = link_named(rtnetlink, "flannel.1").index;
    add_address(rtnetlink, vtep, "10.244.1.0/32");

    const Route route{.key = {.destination = prefix("10.244.2.0/24")},
                      .hops = {{.gateway = ip("10.244.2.0"), .link = vtep, .onlink = true}}};
    const Neighbour neighbour{.key = {.link = vtep, .address = ip("10.244.2.0")},
                              .mac = mac("02:00:00:00:00:02")};
    const FdbEntry entry{.key = {.link = vtep, .mac = neighbour.mac}, .remote = ip("192.0.2.2")};
    std::vector<Request> requests;
    requests.push_back(encode_route(route, RouteWrite::kReplace));
    requests.push_back(encode_neighbour(neighbour));
    requests.push_back(encode_fdb_entry(entry));
    for (const auto& status : rtnetlink.request_all(requests)) must(status);

    const auto routes = must(rtnetlink.routes(Family::kIpv4));
    EXPECT_NE(std::find(routes.begin(), routes.end(), route), routes.end());
    EXPECT_EQ(must(rtnetlink.neighbours(Family::kIpv4, vtep)), std::vector{neighbour});
    EXPECT_EQ(must(rtnetlink.fdb(vtep)), std::vector{entry});

    must(rtnetlink.remove(route));
    std::vector<Request> removals;
    removals.push_back(encode_delete_neighbour(neighbour.key));
    removals.push_back(encode_delete_fdb_entry(entry));
    for (const auto& status : rtnetlink.request_all(removals)) must(status);
    EXPECT_EQ(rtnetlink.remove(route).error().number, ESRCH);
    EXPECT_TRUE(must(rtnetlink.neighbours(Family::kIpv4, vtep)).empty());
    EXPECT_TRUE(must(rtnetlink.fdb(vtep)).empty());
  });
}

TEST(Rtnetlink, MultipathRouteReadsBack) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    const Link uplink = make_pair_of_veths(rtnetlink, "192.0.2.1/24");
    const Route route{.key = {.destination = prefix("198.51.100.0/24"), .metric = 5},
                      .hops = {{.gateway = ip("192.0.2.2"), .link = uplink.index},
                               {.gateway = ip("192.0.2.3"), .link = uplink.index}}};
    must(rtnetlink.put(route));
    const auto routes = must(rtnetlink.routes(Family::kIpv4));
    EXPECT_NE(std::find(routes.begin(), routes.end(), route), routes.end());
  });
}

TEST(Rtnetlink, RoutesOfATableThatDoesNotExistAreNone) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    EXPECT_TRUE(must(rtnetlink.routes(Family::kIpv4, RouteTable{4711})).empty());
    EXPECT_TRUE(must(rtnetlink.routes(Family::kIpv6, RouteTable{4711})).empty());
  });
}

TEST(Rtnetlink, RoutesOfOneTypeAreThoseAlone) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    make_pair_of_veths(rtnetlink, "192.0.2.1/24");
    for (const char* text : {"10.9.0.0/16", "fd09::/48"}) {
      const Prefix destination = prefix(text);
      must(rtnetlink.put({.key = {.destination = destination}, .type = RouteType::kBlackhole}));
      const auto routes =
          must(rtnetlink.routes(destination.family(), RouteTable::kMain, RouteType::kBlackhole));
      ASSERT_EQ(routes.size(), 1U) << text;
      EXPECT_EQ(routes[0].key.destination, destination);
    }
  });
}

TEST(Rtnetlink, ARefusalCarriesTheKernelsWords) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    const Status status = rtnetlink.create({.name = "lo", .kind = "bridge"});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().number, EEXIST);
    const Status unknown = rtnetlink.create({.name = "x", .kind = "no-such-kind"});
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().text().find("Unknown device type"), std::string::npos)
        << unknown.error().text();
  });
}

TEST(Rtnetlink, ManyRequestsGiveTheirVerdictsInOrder) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    const Link uplink = make_pair_of_veths(rtnetlink, "192.0.2.1/24");
    constexpr std::uint32_t kCount = 3000;
    std::vector<Request> requests;
    for (std::uint32_t i = 0; i < kCount; ++i) {
      // Each third has a gateway that nothing leads to.
      const auto gateway = i % 3 == 0 ? ip("203.0.113.1") : ip("192.0.2.2");
      const Prefix destination(IpAddress::v4(0x0a000000U + (i << 8U)), 24);
      requests.push_back(encode_route({.key = {.destination = destination},
                                       .hops = {{.gateway = gateway, .link = uplink.index}}},
                                      RouteWrite::kExclusive));
    }
    const auto results = rtnetlink.request_all(requests);
    ASSERT_EQ(results.size(), kCount);
    for (std::uint32_t i = 0; i < kCount; ++i) EXPECT_EQ(results[i].has_value(), i % 3 != 0) << i;
    EXPECT_EQ(must(rtnetlink.routes(Family::kIpv4)).size(), 2000U + 1U);
  });
}

}  // namespace
}  // namespace weft::kernel
