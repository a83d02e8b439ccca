#include "overlay/subnet_allocation.h"

#include <gtest/gtest.h>

namespace weft::overlay {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}
Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}
LeaseKey key(const char* text) {
  return LeaseKey::parse(text).value();
}

NetConf conf_of(const std::string& members) {
  return NetConf::parse("{" + members + R"(,"Backend":{"Type":"vxlan"}})").value();
}
NetConf ipv4_conf() {
  return conf_of(R"("Network":"10.3.0.0/16")");
}

void add_lease(LeaseView& view, const char* key_text, const char* public_address) {
  const LeaseKey lease_key = key(key_text);
  view.leases[lease_key] = Lease{
      .key = lease_key, .attributes = {.public_ipv4 = ip(public_address), .backend_type = "vxlan"}};
}

AllocationFacts node(const char* public_address) {
  return {.public_addresses = {{Family::kIpv4, ip(public_address)}},
          .previous = {},
          .routed_elsewhere = {}};
}

std::size_t first_side(std::size_t) {
  return 0;
}
std::size_t last_side(std::size_t sides) {
  return sides - 1;
}

TEST(SubnetAllocation, TheLeaseOfThisAddressIsTakenAgain) {
  LeaseView view;
  add_lease(view, "10.3.5.0-24", "192.0.2.1");
  add_lease(view, "10.3.6.0-24", "192.0.2.2");
  const auto allocation = choose_subnet(ipv4_conf(), view, node("192.0.2.2"), first_side);
  ASSERT_TRUE(allocation);
  EXPECT_EQ(allocation->key, key("10.3.6.0-24"));
  EXPECT_TRUE(allocation->own.has_value());
}

TEST(SubnetAllocation, ALeaseOutsideTheNetworkIsDroppedAndANewOneChosen) {
  // TestConfigChanged
  LeaseView view;
  add_lease(view, "10.4.5.0-24", "192.0.2.1");
  const auto allocation = choose_subnet(ipv4_conf(), view, node("192.0.2.1"), first_side);
  ASSERT_TRUE(allocation);
  EXPECT_FALSE(allocation->own.has_value());
  ASSERT_EQ(allocation->stale.size(), 1U);
  EXPECT_EQ(allocation->stale[0].key, key("10.4.5.0-24"));
  EXPECT_EQ(allocation->key, key("10.3.1.0-24"));
}

TEST(SubnetAllocation, ThePreviousSubnetIsTakenWhenItIsFree) {
  // TestAcquireLease
  AllocationFacts facts = node("192.0.2.1");
  facts.previous = key("10.3.6.0-24");
  EXPECT_EQ(choose_subnet(ipv4_conf(), {}, facts, first_side)->key, key("10.3.6.0-24"));

  LeaseView taken;
  add_lease(taken, "10.3.6.0-24", "192.0.2.9");
  EXPECT_EQ(choose_subnet(ipv4_conf(), taken, facts, first_side)->key, key("10.3.1.0-24"));

  facts.previous = key("10.4.1.0-24");  // of another network
  EXPECT_EQ(choose_subnet(ipv4_conf(), {}, facts, first_side)->key, key("10.3.1.0-24"));
}

TEST(SubnetAllocation, TheDiceAreRolledOverTheFirstHundredFreeSubnets) {
  LeaseView view;
  add_lease(view, "10.3.1.0-24", "192.0.2.9");
  EXPECT_EQ(choose_subnet(ipv4_conf(), view, node("192.0.2.1"), last_side)->key,
            key("10.3.101.0-24"));
}

TEST(SubnetAllocation, ALargerOrSmallerLeaseInTheWayIsSteppedOver) {
  LeaseView view;
  add_lease(view, "10.3.0.0-22", "192.0.2.8");    // covers .1, .2 and .3
  add_lease(view, "10.3.4.128-25", "192.0.2.9");  // a part of .4
  EXPECT_EQ(choose_subnet(ipv4_conf(), view, node("192.0.2.1"), first_side)->key,
            key("10.3.5.0-24"));
}

TEST(SubnetAllocation, ASubnetThatIsRoutedElsewhereIsNotTaken) {
  AllocationFacts facts = node("192.0.2.1");
  facts.routed_elsewhere = {prefix("10.3.0.0/21"), prefix("10.3.8.5/32")};
  EXPECT_EQ(choose_subnet(ipv4_conf(), {}, facts, first_side)->key, key("10.3.9.0-24"));
}

TEST(SubnetAllocation, ARouteOverTheWholeIpv6NetworkIsToldAtOnce) {
  AllocationFacts facts{.public_addresses = {{Family::kIpv6, ip("2001:db8::1")}},
                        .previous = {},
                        .routed_elsewhere = {prefix("fc00::/7")}};
  const auto conf = conf_of(R"("EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/8")");
  const auto allocation = choose_subnet(conf, {}, facts, first_side);
  ASSERT_FALSE(allocation);
  EXPECT_NE(allocation.error().what.find("1 routes of this node are in the way"),
            std::string::npos);
}

TEST(SubnetAllocation, AFullNetworkSaysHowManyAreLeased) {
  const auto conf = conf_of(R"("Network":"10.3.0.0/28")");  // three subnets of /30 to give
  LeaseView view;
  add_lease(view, "10.3.0.4-30", "192.0.2.2");
  add_lease(view, "10.3.0.8-30", "192.0.2.3");
  add_lease(view, "10.3.0.12-30", "192.0.2.4");
  const auto allocation = choose_subnet(conf, view, node("192.0.2.1"), first_side);
  ASSERT_FALSE(allocation);
  EXPECT_NE(allocation.error().what.find("no subnet is free in 10.3.0.0/28: 3 leased"),
            std::string::npos)
      << allocation.error().what;
  EXPECT_FALSE(allocation.error().next.empty());
}

TEST(SubnetAllocation, DualStackTakesOneSubnetOfEach) {
  const auto conf =
      conf_of(R"("Network":"10.3.0.0/16","EnableIPv6":true,"IPv6Network":"fc00::/48")");
  LeaseView view;
  add_lease(view, "10.3.1.0-24&fc00:0:0:1::-64", "192.0.2.2");
  AllocationFacts facts = node("192.0.2.1");
  facts.public_addresses[Family::kIpv6] = ip("2001:db8::1");
  EXPECT_EQ(choose_subnet(conf, view, facts, first_side)->key, key("10.3.2.0-24&fc00:0:0:2::-64"));
}

TEST(SubnetAllocation, AnIpv4LeaseDoesNotServeADualStackNetwork) {
  const auto conf =
      conf_of(R"("Network":"10.3.0.0/16","EnableIPv6":true,"IPv6Network":"fc00::/48")");
  LeaseView view;
  add_lease(view, "10.3.7.0-24", "192.0.2.1");
  AllocationFacts facts = node("192.0.2.1");
  facts.public_addresses[Family::kIpv6] = ip("2001:db8::1");
  const auto allocation = choose_subnet(conf, view, facts, first_side);
  ASSERT_TRUE(allocation);
  EXPECT_EQ(allocation->stale.size(), 1U);
  EXPECT_TRUE(allocation->key.ipv6.has_value());
}

}  // namespace
}  // namespace weft::overlay
