// iptables_chains.cc: the chains of one port of a service.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "service/iptables_port.h"

namespace weft::service {
namespace {

using namespace chains;
using Rules = std::vector<std::string>;

// 1/n as kube-proxy writes it, ten digits, and as iptables prints what the kernel keeps of that,
// which counts in parts of 2^31: so a rule that was read is equal to the one that is wanted.
std::string chance_words(std::size_t n) {
  constexpr double kWhole = 2147483648.0;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%0.10f", 1.0 / static_cast<double>(n));
  const auto kept = std::lround(kWhole * std::strtod(text.data(), nullptr));
  std::snprintf(text.data(), text.size(), "%.11f", static_cast<double>(kept) / kWhole);
  return "-m statistic --mode random --probability " + std::string(text.data());
}

// As kube-proxy orders them, which has texts.
std::vector<EndpointRecord> by_text(std::vector<EndpointRecord> endpoints) {
  std::sort(endpoints.begin(), endpoints.end(), [](const auto& left, const auto& right) {
    return place_word(left) < place_word(right);
  });
  return endpoints;
}

// Those of both sets, each once.
std::vector<EndpointRecord> all_endpoints(const PortPlan& port) {
  std::vector<EndpointRecord> all = port.cluster;
  all.insert(all.end(), port.local.begin(), port.local.end());
  std::sort(all.begin(), all.end(), before_in_place);
  const auto same = [](const auto& left, const auto& right) { return left.same_place(right); };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  return all;
}

class PortChains {
 public:
  PortChains(const IptablesPort& port, ChainRules& all) : port_(port), all_(all) {}

  void add() {
    for (const Front& front : port_.port.fronts) {
      if (front.kind == FrontKind::kClusterIp || front.handling == Handling::kReject) continue;
      add_external(front.handling);
      if (port_.restricted(front)) add_firewall();
    }
    add_choice(chain_prefix::kCluster, port_.port.cluster, Handling::kCluster);
    add_choice(chain_prefix::kLocal, port_.port.local, Handling::kLocal);
    for (const EndpointRecord& endpoint : all_endpoints(port_.port)) add_endpoint(endpoint);
  }

 private:
  const LocalDetector& detector() const { return port_.options.rules.detector; }
  bool detects_pods() const { return detector().detects(port_.family()); }
  /// What comes from a pod of this node, or does not.
  std::string from_pods(bool inverted) const {
    const std::string front = inverted ? "! " : "";
    if (const auto range = detector().range(port_.family()))
      return front + "-s " + range->to_string();
    return front + "-i " +
           (detector().bridge.empty() ? detector().link_prefix + "+" : detector().bridge);
  }

  // All fronts from outside have the same handling, and share the chain.
  void add_external(Handling handling) {
    const auto comment = [&](const std::string& what) {
      return comment_words(what + " for " + port_.name + " external destinations");
    };
    const std::string to_cluster = jump_words(port_.chain(chain_prefix::kCluster));
    const std::string mark = jump_words(kMarkMasquerade);
    Rules rules;
    if (handling == Handling::kExternalCluster) {
      rules = {rule_words({comment("masquerade traffic"), mark}), to_cluster};
    } else {
      const std::string from_node = "-m addrtype --src-type LOCAL";
      if (detects_pods())
        rules.push_back(rule_words({from_pods(false), comment("pod traffic"), to_cluster}));
      rules.push_back(rule_words({comment("masquerade LOCAL traffic"), from_node, mark}));
      rules.push_back(rule_words({comment("route LOCAL traffic"), from_node, to_cluster}));
      if (!port_.port.local.empty()) rules.push_back(jump_words(port_.chain(chain_prefix::kLocal)));
    }
    all_.insert_or_assign(port_.chain(chain_prefix::kExternal), std::move(rules));
  }

  // Whoever comes to the end of this chain has no new destination, and is dropped in filter.
  void add_firewall() {
    const std::string comment = comment_words(port_.name + " loadbalancer IP");
    const std::string onwards = jump_words(port_.chain(chain_prefix::kExternal));
    Rules rules;
    for (const Prefix& source : port_.plan.allowed_sources)
      rules.push_back(
          rule_words({source.is_default() ? "" : "-s " + source.to_string(), comment, onwards}));
    rules.push_back(comment_words("other traffic to " + port_.name +
                                  " will be dropped by KUBE-PROXY-FIREWALL"));
    all_.insert_or_assign(port_.chain(chain_prefix::kFirewall), std::move(rules));
  }

  // The chain that chooses one of `endpoints`; with `inside` that is what the cluster address does.
  void add_choice(std::string_view prefix, const std::vector<EndpointRecord>& endpoints,
                  Handling inside) {
    if (endpoints.empty()) return;
    Rules rules;
    for (const Front& front : port_.port.fronts)
      if (front.kind == FrontKind::kClusterIp && front.handling == inside)
        add_inside_masquerade(front, rules);
    const auto sorted = by_text(endpoints);
    if (port_.port.affinity_seconds != 0)
      for (const EndpointRecord& endpoint : sorted) rules.push_back(stay_rule(endpoint));
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      const std::size_t left = sorted.size() - i;
      rules.push_back(rule_words({choice_comment(sorted[i]), left > 1 ? chance_words(left) : "",
                                  jump_words(port_.endpoint(sorted[i]))}));
    }
    all_.insert_or_assign(port_.chain(prefix), std::move(rules));
  }

  void add_inside_masquerade(const Front& front, Rules& rules) const {
    const bool all = port_.options.rules.masquerade_all;
    if (!all && !detects_pods()) return;
    rules.push_back(rule_words({all ? "" : from_pods(true),
                                port_.at(front, port_.name + " cluster IP", kMarkMasquerade)}));
  }

  std::string choice_comment(const EndpointRecord& endpoint) const {
    return port_.commented ? comment_words(port_.name + " -> " + place_word(endpoint)) : "";
  }
  // An endpoint's clients are kept in a list of its chain's name.
  std::string recent_words(const std::string& what, const std::string& chain) const {
    const bool v4 = port_.family() == Family::kIpv4;
    return "-m recent " + what + " --name " + chain + " --mask " +
           (v4 ? "255.255.255.255" : "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") + " --rsource";
  }
  std::string stay_rule(const EndpointRecord& endpoint) const {
    const std::string chain = port_.endpoint(endpoint);
    const std::string seconds = std::to_string(port_.port.affinity_seconds);
    return rule_words({choice_comment(endpoint),
                       recent_words("--rcheck --seconds " + seconds + " --reap", chain),
                       jump_words(chain)});
  }

  void add_endpoint(const EndpointRecord& endpoint) {
    const std::string chain = port_.endpoint(endpoint);
    const std::string comment = port_.commented ? comment_words(port_.name) : "";
    const std::string stay = port_.port.affinity_seconds != 0 ? recent_words("--set", chain) : "";
    all_.insert_or_assign(
        chain, Rules{rule_words({"-s " + host_words(endpoint.address), comment,
                                 jump_words(kMarkMasquerade)}),
                     rule_words({"-p " + port_.protocol, comment, stay, "-m " + port_.protocol,
                                 "-j DNAT --to-destination " + place_word(endpoint)})});
  }

  const IptablesPort& port_;
  ChainRules& all_;
};

}  // namespace

ChainRules port_chains(const RulesWanted& wanted) {
  ChainRules all;
  for (const PortPlan& plan : wanted.plan.ports) {
    const IptablesPort port(wanted, plan);
    PortChains(port, all).add();
  }
  return all;
}

}  // namespace weft::service
