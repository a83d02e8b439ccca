// From chains as they should be to commands for iptables-restore.
#include "overlay/iptables_edits.h"

#include <gtest/gtest.h>

namespace weft::overlay {
namespace {

using Texts = std::vector<std::string>;

const Prefix kNetwork = *Prefix::parse("10.3.0.0/16");
constexpr const char* kMark =
    R"(-m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN)";
constexpr const char* kOwn = R"(-s 10.3.0.0/16 -m comment --comment "flanneld masq" -j ACCEPT)";
constexpr const char* kOther =
    R"(-s 10.9.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE)";

IptablesChainPlan plan(Texts rules) {
  return {.table = "nat",
          .chain = "FLANNEL-POSTRTG",
          .rules = std::move(rules),
          .hooked_into = "POSTROUTING",
          .jump = "-j FLANNEL-POSTRTG"};
}

IptablesTable table(Texts rules) {
  IptablesTable result;
  result.chains["FLANNEL-POSTRTG"].rules = std::move(rules);
  result.chains["POSTROUTING"] = {.policy = "ACCEPT", .rules = {"-j FLANNEL-POSTRTG"}};
  return result;
}

TEST(ChainEdits, AChainAsPlannedIsLeftAlone) {
  EXPECT_TRUE(plan_chain_edits(plan({kMark, kOwn}), table({kMark, kOwn}), {kNetwork}).empty());
}

TEST(ChainEdits, WhatDoesNotBelongThereGoesAndTheRulesOfAnotherNetworkStay) {
  struct Case {
    const char* name;
    Texts actual;
    Texts commands;
  };
  const std::string own = std::string("-A FLANNEL-POSTRTG ") + kOwn;
  const std::string other = std::string("-A FLANNEL-POSTRTG ") + kOther;
  const std::string name = ":FLANNEL-POSTRTG - [0:0]";
  for (const auto& [what, actual, commands] : std::vector<Case>{
           {"empty", {}, {name, own}},
           {"somebody's rule", {kOwn, "-j DROP"}, {name, own}},
           {"a rule too much", {kMark, kOwn}, {name, own}},
           {"a rule of a former subnet",
            {kOwn, R"(-s 10.7.1.0/24 -m comment --comment "flanneld masq" -j RETURN)"},
            {name, own}},
           {"another network's alone", {kOther}, {name, own, other}},
           {"another network's without the comment",
            {kOwn, "-s 10.9.0.0/16 -j ACCEPT"},
            {name, own}},
       }) {
    const auto edits =
        plan_chain_edits(plan({kOwn}), table(actual), {kNetwork, *Prefix::parse("10.7.1.0/24")});
    ASSERT_EQ(edits.size(), 1U) << what;
    EXPECT_EQ(edits[0].commands, commands) << what;
  }
  for (const Texts& right : {Texts{kOwn, kOther}, Texts{kOther, kOwn}})
    EXPECT_TRUE(plan_chain_edits(plan({kOwn}), table(right), {kNetwork}).empty());
}

TEST(ChainRemoval, LeavesTheChainToAnotherNetwork) {
  const auto removal = [](Texts rules) {
    return plan_chain_removal("nat", "FLANNEL-POSTRTG", "POSTROUTING", table(std::move(rules)),
                              {kNetwork});
  };
  const auto alone = removal({kMark, kOwn});
  ASSERT_EQ(alone.size(), 1U);
  EXPECT_EQ(alone[0].commands, (Texts{"-D POSTROUTING -j FLANNEL-POSTRTG", "-F FLANNEL-POSTRTG",
                                      "-X FLANNEL-POSTRTG"}));
  const auto shared = removal({kMark, kOwn, kOther});
  ASSERT_EQ(shared.size(), 1U);
  EXPECT_EQ(shared[0].commands,
            (Texts{":FLANNEL-POSTRTG - [0:0]", std::string("-A FLANNEL-POSTRTG ") + kMark,
                   std::string("-A FLANNEL-POSTRTG ") + kOther}));
  EXPECT_TRUE(removal({kMark, kOther}).empty());
}

}  // namespace
}  // namespace weft::overlay
