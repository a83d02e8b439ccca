#include "overlay/uplink.h"

#include <gtest/gtest.h>

namespace weft::overlay {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

LinkAddress address(int link, const char* text) {
  return {.key = {.link = LinkIndex{link}, .address = InterfaceAddress::parse(text).value()}};
}

// lo, eth0 (the default route leaves here) and eth1.
NodeNetwork node() {
  NodeNetwork network;
  network.links = {{.index = LinkIndex{1}, .name = "lo", .loopback = true},
                   {.index = LinkIndex{2}, .name = "eth0", .mtu = 1500},
                   {.index = LinkIndex{3}, .name = "eth1", .mtu = 9000}};
  network.addresses = {address(1, "127.0.0.1/8"),     address(2, "192.0.2.1/24"),
                       address(3, "198.51.100.1/24"), address(3, "169.254.3.3/16"),
                       address(3, "2001:db8::3/64"),  address(3, "fe80::3/64")};
  network.routes[Family::kIpv4] = {
      {.key = {.destination = Prefix()},
       .hops = {{.gateway = ip("192.0.2.254"), .link = LinkIndex{2}}}}};
  return network;
}

TEST(Uplink, TheDefaultRouteDecidesWhenNothingIsSaid) {
  const auto uplink = choose_uplink({}, node(), {Family::kIpv4});
  ASSERT_TRUE(uplink) << uplink.error().text();
  EXPECT_EQ(uplink->link(Family::kIpv4).name, "eth0");
  EXPECT_EQ(uplink->local.at(Family::kIpv4), ip("192.0.2.1"));
  EXPECT_EQ(uplink->public_addresses.at(Family::kIpv4), ip("192.0.2.1"));
  EXPECT_EQ(uplink->reasons.at(Family::kIpv4), "it has the IPv4 default route");
}

TEST(Uplink, TheAddressThatTheClusterKnowsGoesBeforeTheDefaultRoute) {
  const UplinkOptions options{
      .interfaces = {}, .public_addresses = {}, .node_addresses = {ip("169.254.3.3")}};
  const auto uplink = choose_uplink(options, node(), {Family::kIpv4});
  ASSERT_TRUE(uplink) << uplink.error().text();
  EXPECT_EQ(uplink->link(Family::kIpv4).name, "eth1");
  EXPECT_EQ(uplink->local.at(Family::kIpv4), ip("169.254.3.3"));
  EXPECT_EQ(uplink->reasons.at(Family::kIpv4), "it has the node's InternalIP 169.254.3.3");
  // One that is nowhere here, as of a node behind a NAT, decides nothing.
  const UplinkOptions nowhere{
      .interfaces = {}, .public_addresses = {}, .node_addresses = {ip("203.0.113.9")}};
  EXPECT_EQ(choose_uplink(nowhere, node(), {Family::kIpv4})->link(Family::kIpv4).name, "eth0");
}

TEST(Uplink, ANameOrAnAddressIsTakenAndTheFirstThatMatchesWins) {
  EXPECT_EQ(
      choose_uplink({.interfaces = {"eth1"}}, node(), {Family::kIpv4})->local.at(Family::kIpv4),
      ip("198.51.100.1"));
  const auto by_address =
      choose_uplink({.interfaces = {"eth9", "169.254.3.3", "eth0"}}, node(), {Family::kIpv4});
  EXPECT_EQ(by_address->link(Family::kIpv4).name, "eth1");
  EXPECT_EQ(by_address->local.at(Family::kIpv4), ip("169.254.3.3"));
}

TEST(Uplink, ThePublicAddressChoosesItsInterfaceOrIsOnlyTold) {
  const UplinkOptions local{.public_addresses = {{Family::kIpv4, ip("198.51.100.1")}}};
  EXPECT_EQ(choose_uplink(local, node(), {Family::kIpv4})->link(Family::kIpv4).name, "eth1");
  // Behind a NAT: the tunnels' source stays the interface's own address.
  const UplinkOptions nat{.interfaces = {"eth0"},
                          .public_addresses = {{Family::kIpv4, ip("203.0.113.9")}}};
  const auto uplink = choose_uplink(nat, node(), {Family::kIpv4});
  EXPECT_EQ(uplink->local.at(Family::kIpv4), ip("192.0.2.1"));
  EXPECT_EQ(uplink->public_addresses.at(Family::kIpv4), ip("203.0.113.9"));
}

TEST(Uplink, DualStackTakesTheGlobalAddressOfEachFamily) {
  const auto uplink =
      choose_uplink({.interfaces = {"eth1"}}, node(), {Family::kIpv4, Family::kIpv6});
  ASSERT_TRUE(uplink);
  EXPECT_EQ(uplink->local.at(Family::kIpv6), ip("2001:db8::3"));
}

TEST(Uplink, LastingAndPublicAddressesComeFirstAndDeprecatedOnesNever) {
  NodeNetwork network = node();
  network.addresses = {address(2, "192.0.2.7/24"), address(2, "192.0.2.8/24"),
                       address(2, "192.0.2.9/24")};
  network.addresses[0].deprecated = true;
  network.addresses[1].permanent = false;
  EXPECT_EQ(choose_uplink({}, network, {Family::kIpv4})->local.at(Family::kIpv4), ip("192.0.2.9"));
}

TEST(Uplink, WhatIsMissingIsNamedWithTheNextStep) {
  const auto unknown = choose_uplink({.interfaces = {"eht1"}}, node(), {Family::kIpv4});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().text().find("did you mean eth1?"), std::string::npos);
  EXPECT_NE(unknown.error().text().find("name one of: eth0 192.0.2.1, eth1"), std::string::npos);

  const auto without = choose_uplink({.interfaces = {"eth0"}}, node(), {Family::kIpv6});
  ASSERT_FALSE(without);
  EXPECT_NE(without.error().text().find("interface eth0 has no IPv6 address"), std::string::npos);

  NodeNetwork unrouted = node();
  unrouted.routes.clear();
  const auto nowhere = choose_uplink({}, unrouted, {Family::kIpv4});
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().text().find("--iface"), std::string::npos);
}

// What upstream's ipmatch tests set up: one device with several addresses, and a route to one.
NodeNetwork dummy() {
  NodeNetwork network;
  network.links = {{.index = LinkIndex{1}, .name = "lo", .loopback = true},
                   {.index = LinkIndex{2}, .name = "eth0", .mtu = 1500},
                   {.index = LinkIndex{5}, .name = "dummy0", .mtu = 1500}};
  network.addresses = {address(1, "127.0.0.1/8"),      address(2, "192.0.2.1/24"),
                       address(5, "1.10.100.1/32"),    address(5, "192.168.200.128/32"),
                       address(5, "172.16.30.18/32"),  address(5, "172.16.31.200/32"),
                       address(5, "172.16.32.100/32"), address(5, "2001:db8::1/64")};
  network.reaching = Route{.hops = {{.gateway = ip("172.16.32.100"), .link = LinkIndex{5}}},
                           .source = ip("172.16.32.100")};
  return network;
}

TEST(Uplink, UpstreamsCasesOfIpmatch) {
  const auto regex = [](const char* text) { return Pattern::parse(text).value(); };
  const std::vector<Family> v4{Family::kIpv4};
  const struct {
    const char* name;
    UplinkOptions options;
    const char* local;
  } cases[] = {
      {"ByIfRegexForIPv4", {.patterns = {regex(R"(192\.168\.200\.\d+)")}}, "192.168.200.128"},
      {"ByIfRegexForName", {.patterns = {regex(R"(dummy\d+)")}}, "1.10.100.1"},
      {"ByName", {.interfaces = {"dummy0"}}, "1.10.100.1"},
      {"ByIPv4", {.interfaces = {"172.16.30.18"}}, "172.16.30.18"},
      {"ByIfCanReach", {.can_reach = ip("172.16.32.254")}, "172.16.32.100"},
  };
  for (const auto& [name, options, local] : cases) {
    const auto uplink = choose_uplink(options, dummy(), v4);
    ASSERT_TRUE(uplink) << name << ": " << uplink.error().text();
    EXPECT_EQ(uplink->link(Family::kIpv4).name, "dummy0") << name;
    EXPECT_EQ(uplink->local.at(Family::kIpv4), ip(local)) << name;
  }
  // ByIPv4DualStack.
  const auto dual =
      choose_uplink({.interfaces = {"172.16.30.18"}}, dummy(), {Family::kIpv4, Family::kIpv6});
  ASSERT_TRUE(dual);
  EXPECT_EQ(dual->local.at(Family::kIpv6), ip("2001:db8::1"));
  // ByIfRegexMatchPublicIPv4.
  const auto told = choose_uplink({.patterns = {regex(R"(172\.16\.30\.\d+)")},
                                   .public_addresses = {{Family::kIpv4, ip("172.16.31.200")}}},
                                  dummy(), v4);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->local.at(Family::kIpv4), ip("172.16.30.18"));
  EXPECT_EQ(told->public_addresses.at(Family::kIpv4), ip("172.16.31.200"));
}

TEST(Uplink, PatternsAreGosAndTheFirstThatMatchesWins) {
  const auto regex = [](const char* text) { return Pattern::parse(text).value(); };
  const auto chosen = [&](std::vector<Pattern> patterns) {
    return choose_uplink({.patterns = std::move(patterns)}, node(), {Family::kIpv4});
  };
  EXPECT_EQ(chosen({regex("^wg"), regex("(?i)^ETH1$")})->link(Family::kIpv4).name, "eth1");
  // An address is looked for first: this is one of eth1's, although eth0 has a 1 in it, too.
  EXPECT_EQ(chosen({regex(R"(\A198\.51\.)"), regex("eth0")})->local.at(Family::kIpv4),
            ip("198.51.100.1"));
  const auto nothing = chosen({regex("wlan.*")});
  ASSERT_FALSE(nothing);
  EXPECT_NE(nothing.error().text().find("--iface-regex wlan.*: it matches no"), std::string::npos);
  EXPECT_NE(nothing.error().text().find("eth0 192.0.2.1, eth1 198.51.100.1"), std::string::npos)
      << nothing.error().text();
  EXPECT_FALSE(Pattern::parse("a(b"));
  EXPECT_FALSE(Pattern::parse("(?<!a)b"));  // as in Go
}

TEST(Uplink, EachFamilyHasAnEndpointOfItsOwn) {
  NodeNetwork network = node();
  network.routes[Family::kIpv6] = {
      {.key = {.destination = Prefix(IpAddress::any(Family::kIpv6), 0), .metric = 1024},
       .hops = {{.gateway = ip("fe80::1"), .link = LinkIndex{3}}}}};
  const std::vector<Family> both{Family::kIpv4, Family::kIpv6};
  const auto uplink = choose_uplink({}, network, both);
  ASSERT_TRUE(uplink) << uplink.error().text();
  EXPECT_EQ(describe(*uplink),
            "IPv4 192.0.2.1 on eth0 (it has the IPv4 default route); "
            "IPv6 2001:db8::3 on eth1 (it has the IPv6 default route)");
  EXPECT_EQ(uplink->mtu(), 1500U);
  // What is named for one family holds where it can; the other family's named address holds.
  EXPECT_EQ(choose_uplink({.interfaces = {"192.0.2.1", "fe80::3"}}, network, both)
                ->local.at(Family::kIpv6),
            ip("fe80::3"));
  EXPECT_EQ(choose_uplink({.interfaces = {"eth0"}}, network, both)->link(Family::kIpv6).name,
            "eth1");
  EXPECT_EQ(choose_uplink({.interfaces = {"198.51.100.1"},
                           .public_addresses = {{Family::kIpv6, ip("fe80::3")}}},
                          network, both)
                ->local.at(Family::kIpv6),
            ip("fe80::3"));
}

TEST(Uplink, ADefaultRouteOfSeveralHopsGivesTheFirstThatServes) {
  NodeNetwork network = node();
  network.addresses.erase(network.addresses.begin() + 1);  // eth0 has none
  network.routes[Family::kIpv4] = {
      {.key = {.destination = Prefix()},
       .hops = {{.gateway = ip("192.0.2.254"), .link = LinkIndex{2}},
                {.gateway = ip("198.51.100.9"), .link = LinkIndex{3}}}}};
  const auto uplink = choose_uplink({}, network, {Family::kIpv4});
  ASSERT_TRUE(uplink) << uplink.error().text();
  EXPECT_EQ(uplink->link(Family::kIpv4).name, "eth1");
  EXPECT_EQ(uplink->reasons.at(Family::kIpv4), "it is the first hop of the IPv4 default route");
}

TEST(Uplink, ANatAddressIsToldAndTheClustersNameForTheNodeChooses) {
  const UplinkOptions nat{.public_addresses = {{Family::kIpv4, ip("203.0.113.9")}},
                          .node_addresses = {ip("198.51.100.1")}};
  const auto uplink = choose_uplink(nat, node(), {Family::kIpv4});
  ASSERT_TRUE(uplink);
  EXPECT_EQ(
      describe(*uplink),
      "IPv4 198.51.100.1 on eth1 (it has the node's InternalIP 198.51.100.1), told to peers as "
      "203.0.113.9");
}

TEST(Uplink, ARefreshKeepsTheChosenAddressWhileItIsThere) {
  const std::vector<Family> v4{Family::kIpv4};
  const Uplink chosen = choose_uplink({.interfaces = {"169.254.3.3"}}, node(), v4).value();
  NodeNetwork now = node();
  now.links[2].index = LinkIndex{8};  // made anew
  for (auto& entry : now.addresses)
    if (entry.key.link == LinkIndex{3}) entry.key.link = LinkIndex{8};
  const auto kept = refresh_uplink(chosen, {}, now);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->local.at(Family::kIpv4), ip("169.254.3.3"));
  EXPECT_EQ(kept->link(Family::kIpv4).index, LinkIndex{8});
  std::erase_if(now.addresses, [](const LinkAddress& entry) {
    return entry.key.address.address == ip("169.254.3.3");
  });
  EXPECT_EQ(refresh_uplink(chosen, {}, now)->local.at(Family::kIpv4), ip("198.51.100.1"));
  now.links.pop_back();
  EXPECT_NE(refresh_uplink(chosen, {}, now).error().text().find("uplink eth1 is gone"),
            std::string::npos);
}

}  // namespace
}  // namespace weft::overlay
