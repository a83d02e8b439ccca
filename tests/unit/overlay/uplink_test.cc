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
  EXPECT_EQ(uplink->link.name, "eth0");
  EXPECT_EQ(uplink->local.at(Family::kIpv4), ip("192.0.2.1"));
  EXPECT_EQ(uplink->public_addresses.at(Family::kIpv4), ip("192.0.2.1"));
  EXPECT_EQ(uplink->reason, "it has the IPv4 default route");
}

TEST(Uplink, ANameOrAnAddressIsTakenAndTheFirstThatMatchesWins) {
  EXPECT_EQ(choose_uplink({.interfaces = {"eth1"}, .public_addresses = {}}, node(), {Family::kIpv4})
                ->local.at(Family::kIpv4),
            ip("198.51.100.1"));
  const auto by_address =
      choose_uplink({.interfaces = {"eth9", "169.254.3.3", "eth0"}, .public_addresses = {}}, node(),
                    {Family::kIpv4});
  EXPECT_EQ(by_address->link.name, "eth1");
  EXPECT_EQ(by_address->local.at(Family::kIpv4), ip("169.254.3.3"));
}

TEST(Uplink, ThePublicAddressChoosesItsInterfaceOrIsOnlyTold) {
  const UplinkOptions local{.interfaces = {},
                            .public_addresses = {{Family::kIpv4, ip("198.51.100.1")}}};
  EXPECT_EQ(choose_uplink(local, node(), {Family::kIpv4})->link.name, "eth1");
  // Behind a NAT: the tunnels' source stays the interface's own address.
  const UplinkOptions nat{.interfaces = {"eth0"},
                          .public_addresses = {{Family::kIpv4, ip("203.0.113.9")}}};
  const auto uplink = choose_uplink(nat, node(), {Family::kIpv4});
  EXPECT_EQ(uplink->local.at(Family::kIpv4), ip("192.0.2.1"));
  EXPECT_EQ(uplink->public_addresses.at(Family::kIpv4), ip("203.0.113.9"));
}

TEST(Uplink, DualStackTakesTheGlobalAddressOfEachFamily) {
  const auto uplink = choose_uplink({.interfaces = {"eth1"}, .public_addresses = {}}, node(),
                                    {Family::kIpv4, Family::kIpv6});
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
  const auto unknown =
      choose_uplink({.interfaces = {"eht1"}, .public_addresses = {}}, node(), {Family::kIpv4});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().text().find("did you mean eth1?"), std::string::npos);
  EXPECT_NE(unknown.error().text().find("name one of: eth0, eth1"), std::string::npos);

  const auto without =
      choose_uplink({.interfaces = {"eth0"}, .public_addresses = {}}, node(), {Family::kIpv6});
  ASSERT_FALSE(without);
  EXPECT_NE(without.error().text().find("interface eth0 has no IPv6 address"), std::string::npos);

  NodeNetwork unrouted = node();
  unrouted.routes.clear();
  const auto nowhere = choose_uplink({}, unrouted, {Family::kIpv4});
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().text().find("--iface"), std::string::npos);
}

}  // namespace
}  // namespace weft::overlay
