#include "overlay/masquerade_plan.h"

#include <algorithm>

namespace weft::overlay {
namespace {

// kube-proxy's mark for packets that it will masquerade itself.
constexpr const char* kKubeProxyMark = "0x4000/0x4000";

std::string multicast(Family family) {
  return family == Family::kIpv4 ? "224.0.0.0/4" : "ff00::/8";
}

std::vector<std::string> masquerade_rules(const MasqueradeFacts& facts) {
  const std::string network = facts.network.to_string();
  const std::string subnet = facts.subnet.to_string();
  const std::string comment = " -m comment --comment \"flanneld masq\" -j ";
  const std::string masquerade =
      comment + "MASQUERADE" + (facts.random_fully ? " --random-fully" : "");
  return {
      std::string("-m mark --mark ") + kKubeProxyMark + comment + "RETURN",
      "-s " + subnet + " -d " + network + comment + "RETURN",
      "-s " + network + " -d " + subnet + comment + "RETURN",
      "! -s " + network + " -d " + subnet + comment + "RETURN",
      "-s " + network + " ! -d " + multicast(facts.network.family()) + masquerade,
      "! -s " + network + " -d " + network + masquerade,
  };
}

std::vector<std::string> forward_rules(const MasqueradeFacts& facts) {
  const std::string network = facts.network.to_string();
  const std::string accept = " -m comment --comment \"flanneld forward\" -j ACCEPT";
  return {"-s " + network + accept, "-d " + network + accept};
}

}  // namespace

std::vector<IptablesChainPlan> plan_iptables(const MasqueradeFacts& facts) {
  std::vector<IptablesChainPlan> chains;
  if (facts.masquerade)
    chains.push_back({.table = "nat",
                      .chain = "FLANNEL-POSTRTG",
                      .rules = masquerade_rules(facts),
                      .hooked_into = "POSTROUTING",
                      .jump = "-m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG"});
  if (facts.forward)
    chains.push_back({.table = "filter",
                      .chain = "FLANNEL-FWD",
                      .rules = forward_rules(facts),
                      .hooked_into = "FORWARD",
                      .jump = "-m comment --comment \"flanneld forward\" -j FLANNEL-FWD"});
  return chains;
}

std::size_t place_jump(const std::vector<std::string>& rules) {
  const auto terminal = std::find_if(rules.begin(), rules.end(), [](const std::string& rule) {
    return rule.rfind("-j REJECT", 0) == 0 || rule.rfind("-j DROP", 0) == 0;
  });
  return static_cast<std::size_t>(terminal - rules.begin());
}

}  // namespace weft::overlay
