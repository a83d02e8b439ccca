#include "cni/plugins/firewall_rules.h"

#include <set>

namespace weft::cni {
namespace {

using iptables::AddressTest;
using iptables::Comment;
using iptables::Jump;
using iptables::LinkTest;
using Place = IptablesPlan::Place;
using Policy = FirewallConfig::IngressPolicy;

constexpr const char* kForward = "FORWARD";
constexpr const char* kContainers = "CNI-FORWARD";
constexpr const char* kStage1 = "CNI-ISOLATION-STAGE-1";
constexpr const char* kStage2 = "CNI-ISOLATION-STAGE-2";

std::vector<IptablesRule> container_rules(const IpAddress& address) {
  const Prefix host = Prefix::host(address);
  return {{.destination = AddressTest{host},
           .matches = {iptables::ConnectionState{nft::ct_state::kRelated |
                                                 nft::ct_state::kEstablished}},
           .target = Jump{"ACCEPT"}},
          {.source = AddressTest{host}, .target = Jump{"ACCEPT"}}};
}

constexpr const char* kEveryPolicy = "same-bridge|isolated";

std::vector<iptables::Match> policy_comment(const std::string& policy) {
  return {Comment{"CNI firewall plugin rules (ingressPolicy: " + policy + ")"}};
}
IptablesRule jump_to_isolation() {
  return {.matches = policy_comment(kEveryPolicy), .target = Jump{kStage1}};
}

// What comes from a policed bridge and leaves through another policed one is dropped: each
// bridge sends what leaves it to the second stage, where each drops what is for it.
void need_policy(IptablesPlan& plan, Policy policy, const std::string& bridge) {
  const auto own = policy_comment(policy == Policy::kIsolated ? "isolated" : "same-bridge");
  const auto shared = policy_comment(kEveryPolicy);
  plan.need_chain(kStage1);
  plan.need_chain(kStage2);
  const IptablesRule leaving{.incoming = LinkTest{bridge},
                             .outgoing = LinkTest{bridge, true},
                             .matches = own,
                             .target = Jump{kStage2}};
  const IptablesRule staying{.incoming = LinkTest{bridge},
                             .outgoing = LinkTest{bridge},
                             .matches = own,
                             .target = Jump{"DROP"}};
  if (policy == Policy::kIsolated) plan.need_rule(kStage1, staying, Place::kFront);
  plan.need_rule(kStage1, leaving, Place::kFront);
  plan.need_rule(kStage1, {.matches = shared, .target = Jump{"RETURN"}}, Place::kEnd);
  plan.need_rule(kStage2, {.outgoing = LinkTest{bridge}, .matches = shared, .target = Jump{"DROP"}},
                 Place::kFront);
  plan.need_rule(kStage2, {.matches = shared, .target = Jump{"RETURN"}}, Place::kEnd);
}

}  // namespace

std::vector<std::string> firewall_chains(const FirewallConfig& config) {
  return {kForward, kContainers, config.admin_chain, kStage1, kStage2};
}

IptablesEdits plan_firewall(const FirewallConfig& config, const std::string& owner,
                            const std::vector<IpAddress>& addresses, const std::string& bridge,
                            const PresentChains& present) {
  IptablesPlan plan(present);
  // What isolates must stay ahead of what accepts, also where only the latter was lost.
  const bool accepting_was_lost =
      plan.has_jump(kForward, kStage1) && !plan.has_jump(kForward, kContainers);
  if (accepting_was_lost && !addresses.empty()) {
    plan.drop_jumps(kForward, kStage1);
    plan.need_rule(kForward, jump_to_isolation(), Place::kFront);
  } else if (!bridge.empty()) {
    plan.need_rule(kForward, jump_to_isolation(), Place::kFront);
  }
  if (!bridge.empty()) need_policy(plan, config.policy, bridge);
  if (addresses.empty()) return plan.edits();
  plan.need_chain(kContainers);
  plan.need_chain(config.admin_chain);
  plan.need_rule(kForward,
                 {.matches = {Comment{"CNI firewall plugin rules"}}, .target = Jump{kContainers}},
                 Place::kFront);
  plan.need_rule(kContainers,
                 {.matches = {Comment{"CNI firewall plugin admin overrides"}},
                  .target = Jump{config.admin_chain}},
                 Place::kFront);
  for (const auto& address : addresses)
    for (const auto& rule : container_rules(address)) {
      // A container that had the address before must not take the rule with it, once its DEL comes.
      plan.drop_rules(kContainers, [&](const PresentRule& other) {
        return !other.owner.empty() && other.owner != owner && other.words == rule.words();
      });
      plan.need_rule(kContainers, rule, Place::kEnd, owner);
    }
  return plan.edits();
}

IptablesEdits plan_firewall_removal(const std::function<bool(const std::string&)>& is_owner,
                                    const std::vector<IpAddress>& addresses,
                                    const PresentChains& present) {
  std::set<std::string> words;
  for (const auto& address : addresses)
    for (const auto& rule : container_rules(address)) words.insert(rule.words());
  IptablesPlan plan(present);
  plan.drop_rules(kContainers, [&](const PresentRule& rule) {
    return rule.owner.empty() ? words.contains(rule.words) : is_owner(rule.owner);
  });
  return plan.edits();
}

}  // namespace weft::cni
