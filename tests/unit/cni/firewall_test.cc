// What the firewall plugin wants of table filter, as iptables-restore would read it.
#include <gtest/gtest.h>

#include "cni/plugins/firewall_rules.h"
#include "unit/cni/call_of.h"
#include "unit/cni/iptables_after.h"

namespace weft::cni {
namespace {

using test::after;
using Policy = FirewallConfig::IngressPolicy;

const std::vector<IpAddress> kAddress = {IpAddress::parse("10.1.2.5").value()};
const PresentChains kForward = {{"FORWARD", {}}};

std::string script(const IptablesEdits& edits) {
  return restore_script(edits, "filter");
}
IptablesEdits wanted(const FirewallConfig& config, const PresentChains& present,
                     const std::string& owner = "one") {
  return plan_firewall(config, owner, kAddress, config.policy == Policy::kOpen ? "" : "br0",
                       present);
}
IptablesEdits removal(const std::string& owner, const std::vector<IpAddress>& addresses,
                      const PresentChains& present) {
  return plan_firewall_removal([&](const std::string& other) { return other == owner; }, addresses,
                               present);
}

using Lines = std::vector<std::string>;
Lines words(const std::vector<PresentRule>& rules) {
  Lines lines;
  for (const auto& rule : rules) lines.push_back(rule.words);
  return lines;
}

TEST(FirewallIptables, TheFirstContainerBringsEverything) {
  EXPECT_EQ(script(wanted({}, kForward)), R"(*filter
:CNI-FORWARD - [0:0]
:CNI-ADMIN - [0:0]
-I CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j CNI-ADMIN
-I FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD
-A CNI-FORWARD -d 10.1.2.5/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A CNI-FORWARD -s 10.1.2.5/32 -j ACCEPT
COMMIT
)");
}

TEST(FirewallIptables, TheNextBringsItsOwnRulesAlone) {
  const PresentChains one = after(wanted({}, kForward), kForward);
  EXPECT_EQ(wanted({}, one), IptablesEdits{});
  EXPECT_EQ(script(plan_firewall({}, "two", {IpAddress::parse("10.1.2.6").value()}, "", one)),
            R"(*filter
-A CNI-FORWARD -d 10.1.2.6/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A CNI-FORWARD -s 10.1.2.6/32 -j ACCEPT
COMMIT
)");
}

TEST(FirewallIptables, PoliciesCloseABridge) {
  const std::string both =
      " -m comment --comment \"CNI firewall plugin rules (ingressPolicy: "
      "same-bridge|isolated)\"";
  const auto own = [](const std::string& policy) {
    return " -m comment --comment \"CNI firewall plugin rules (ingressPolicy: " + policy + ")\"";
  };
  const auto chains = [](Policy policy) {
    return after(wanted({.policy = policy}, kForward), kForward);
  };
  const Lines second = {"-o br0" + both + " -j DROP", both.substr(1) + " -j RETURN"};
  const PresentChains same = chains(Policy::kSameBridge);
  EXPECT_EQ(words(same.at("FORWARD")),
            (Lines{both.substr(1) + " -j CNI-ISOLATION-STAGE-1",
                   "-m comment --comment \"CNI firewall plugin rules\" -j CNI-FORWARD"}));
  EXPECT_EQ(words(same.at("CNI-ISOLATION-STAGE-1")),
            (Lines{"-i br0 ! -o br0" + own("same-bridge") + " -j CNI-ISOLATION-STAGE-2",
                   both.substr(1) + " -j RETURN"}));
  EXPECT_EQ(words(same.at("CNI-ISOLATION-STAGE-2")), second);
  const PresentChains isolated = chains(Policy::kIsolated);
  EXPECT_EQ(words(isolated.at("CNI-ISOLATION-STAGE-1")),
            (Lines{"-i br0 -o br0" + own("isolated") + " -j DROP",
                   "-i br0 ! -o br0" + own("isolated") + " -j CNI-ISOLATION-STAGE-2",
                   both.substr(1) + " -j RETURN"}));
  EXPECT_EQ(words(isolated.at("CNI-ISOLATION-STAGE-2")), second);
}

TEST(FirewallIptables, WhatIsolatesComesBackAheadOfWhatAccepts) {
  const FirewallConfig isolated{.policy = Policy::kIsolated};
  const PresentChains made = after(wanted(isolated, kForward), kForward);
  PresentChains present = made;
  present["FORWARD"].pop_back();  // somebody has removed the jump to CNI-FORWARD
  EXPECT_EQ(after(wanted(isolated, present), present), made);
}

TEST(FirewallIptables, ANewContainerTakesOverTheRulesOfAnAddress) {
  const PresentChains one = after(wanted({}, kForward), kForward);
  const PresentChains two = after(wanted({}, one, "two"), one);
  EXPECT_EQ(removal("one", {}, two), IptablesEdits{});
  EXPECT_EQ(removal("two", {}, two).size(), 2U);
}

TEST(FirewallIptables, RulesWithoutAnOwnerGoByTheirAddress) {
  PresentChains present = after(wanted({}, kForward, ""), kForward);
  EXPECT_EQ(removal("one", {}, present), IptablesEdits{});
  const PresentChains left = after(removal("one", kAddress, present), present);
  // What containers share stays.
  EXPECT_EQ(left.at("CNI-FORWARD").size(), 1U);
  EXPECT_EQ(left.at("FORWARD").size(), 1U);
}

}  // namespace
}  // namespace weft::cni
