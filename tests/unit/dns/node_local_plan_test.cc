#include "dns/node_local_plan.h"

#include <gtest/gtest.h>

#include "net/nft_plan.h"

namespace weft::dns {
namespace {

constexpr LinkIndex kLoopback{1};

InterfaceAddress on_lo(const char* text) {
  return *InterfaceAddress::parse(text);
}
NodeLocalAim aim(const std::vector<const char*>& addresses, bool captures) {
  NodeLocalAim result{.captures = captures};
  for (const char* each : addresses) result.addresses.push_back(*IpAddress::parse(each));
  return result;
}
// What is there after a plan was carried out on facts.
NodeLocalFacts after(const NodeLocalPlan& plan, NodeLocalFacts facts) {
  for (const auto& each : plan.remove) facts.present.erase(each.address);
  for (const auto& each : plan.add) facts.present.insert(each.key.address);
  facts.table = plan.table;
  return facts;
}
NodeLocalFacts empty_node() {
  return {.loopback = kLoopback, .present = {on_lo("127.0.0.1/8"), on_lo("::1/128")}};
}
std::size_t rules_in(const NodeLocalPlan& plan, const char* chain) {
  const auto found = plan.table.rules.find(chain);
  return found == plan.table.rules.end() ? 0 : found->second.size();
}

TEST(NodeLocalPlan, AddressesComeBeforeRules) {
  const NodeLocalPlan first =
      plan_node_local(aim({"169.254.20.10", "fd00::10"}, false), empty_node());
  ASSERT_EQ(first.add.size(), 2U);
  EXPECT_EQ(first.add[0].key.address, on_lo("169.254.20.10/32"));
  EXPECT_EQ(first.add[0].scope, RouteScope::kHost);
  EXPECT_EQ(first.add[1].key.address, on_lo("fd00::10/128"));
  EXPECT_TRUE(first.remove.empty());
  EXPECT_EQ(rules_in(first, "prerouting") + rules_in(first, "output"), 0U);

  const NodeLocalFacts then = after(first, empty_node());
  const NodeLocalPlan second = plan_node_local(aim({"169.254.20.10", "fd00::10"}, true), then);
  EXPECT_TRUE(second.add.empty());
  EXPECT_EQ(rules_in(second, "prerouting"), 4U) << "two families, UDP and TCP";
  EXPECT_EQ(rules_in(second, "output"), 8U) << "and the answers";
}

TEST(NodeLocalPlan, WhatIsThereIsNotTouched) {
  const NodeLocalAim wanted = aim({"10.96.0.10"}, true);
  const NodeLocalFacts there = after(plan_node_local(wanted, empty_node()), empty_node());
  const NodeLocalPlan plan = plan_node_local(wanted, there);
  EXPECT_TRUE(plan.add.empty() && plan.remove.empty());
  EXPECT_TRUE(nft::plan_table(plan.table, there.table).empty());
}

// Somebody may be listening there still: the next process has only begun.
TEST(NodeLocalPlan, AStartKeepsTheRulesThatItFinds) {
  const NodeLocalFacts there =
      after(plan_node_local(aim({"10.96.0.10"}, true), empty_node()), empty_node());
  const NodeLocalPlan plan = plan_node_local(aim({"10.96.0.10"}, false), there);
  EXPECT_TRUE(nft::plan_table(plan.table, there.table).empty());
}

TEST(NodeLocalPlan, OnlyAddressesThatTheTableNamesAreRemoved) {
  NodeLocalFacts there = after(
      plan_node_local(aim({"10.96.0.10", "169.254.20.10"}, true), empty_node()), empty_node());
  there.present.insert(on_lo("192.0.2.7/32"));
  const NodeLocalPlan other = plan_node_local(aim({"169.254.20.10"}, true), there);
  ASSERT_EQ(other.remove.size(), 1U);
  EXPECT_EQ(other.remove[0].address, on_lo("10.96.0.10/32"));
  const NodeLocalPlan none = plan_node_local({}, there);
  EXPECT_EQ(none.remove.size(), 2U);
}

TEST(NodeLocalPlan, OneFamilyHasNoRulesOfTheOther) {
  const NodeLocalPlan plan = plan_node_local(aim({"fd00::10"}, true), empty_node());
  EXPECT_EQ(rules_in(plan, "prerouting"), 2U);
  EXPECT_TRUE(plan.table.sets.at("local-ipv4").elements.empty());
}

}  // namespace
}  // namespace weft::dns
