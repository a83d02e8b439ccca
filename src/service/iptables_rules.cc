#include "service/iptables_rules.h"

#include <algorithm>

#include "net/iptables_rule.h"
#include "service/iptables_port.h"

namespace weft::service {
namespace {

using namespace chains;

/// Rules of one port in the chains of all services.
class SharedRules {
 public:
  SharedRules(const IptablesPort& port, IptablesContents& all) : port_(port), all_(all) {}

  void add(const Front& front) {
    const Handling handling = front.handling;
    if (handling == Handling::kReject)
      add_refusal(front, "REJECT --reject-with " + reject_kind(), "has no endpoints");
    else if (handling == Handling::kDrop ||
             (handling == Handling::kExternalLocal && port_.port.local.empty()))
      add_refusal(front, "DROP", "has no local endpoints");
    if (handling == Handling::kReject || handling == Handling::kDrop) return;
    if (port_.restricted(front))
      all_.filter[kProxyFirewall].push_back(port_.at(
          front, port_.name + " traffic not accepted by " + port_.chain(chain_prefix::kFirewall),
          "DROP"));
    add_entrance(front);
  }

  void add_health_check() {
    if (const std::uint16_t number = port_.plan.health_check_port; number != 0)
      all_.filter[kNodePorts].push_back(
          rule_words({"-p tcp", comment_words(port_.name + " health check node port"),
                      "-m tcp --dport " + std::to_string(number), "-j ACCEPT"}));
  }

 private:
  std::string reject_kind() const {
    return port_.family() == Family::kIpv4 ? "icmp-port-unreachable" : "icmp6-port-unreachable";
  }

  void add_refusal(const Front& front, const std::string& target, const std::string& why) {
    const std::string comment = port_.name + " " + why;
    auto& rules = all_.filter[front.kind == FrontKind::kClusterIp ? kServices : kExternalServices];
    if (front.kind == FrontKind::kNodePort)
      rules.push_back(rule_words({"-p " + port_.protocol, comment_words(comment),
                                  "-m addrtype --dst-type LOCAL", port_.port_words(front.port),
                                  jump_words(target)}));
    else
      rules.push_back(port_.at(front, comment, target));
  }

  void add_entrance(const Front& front) {
    const std::string external = port_.chain(chain_prefix::kExternal);
    auto& rules = all_.nat[front.kind == FrontKind::kNodePort ? kNodePorts : kServices];
    switch (front.kind) {
      case FrontKind::kClusterIp:
        rules.push_back(
            port_.at(front, port_.name + " cluster IP",
                     port_.chain(front.handling == Handling::kLocal ? chain_prefix::kLocal
                                                                    : chain_prefix::kCluster)));
        return;
      case FrontKind::kExternalIp:
        rules.push_back(port_.at(front, port_.name + " external IP", external));
        return;
      case FrontKind::kLoadBalancer:
        rules.push_back(
            port_.at(front, port_.name + " loadbalancer IP",
                     port_.restricted(front) ? port_.chain(chain_prefix::kFirewall) : external));
        return;
      case FrontKind::kNodePort:
        rules.push_back(port_.at(front, port_.name, external));
    }
  }

  const IptablesPort& port_;
  IptablesContents& all_;
};

}  // namespace

std::string comment_words(std::string text) {
  constexpr std::size_t kLongest = 255;
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  if (text.size() > kLongest) text.resize(kLongest);
  return "-m comment --comment " + iptables::quoted(text);
}

std::string rule_words(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts)
    if (!part.empty()) text += (text.empty() ? "" : " ") + part;
  return text;
}

std::string jump_words(const std::string& chain) {
  return "-j " + chain;
}

std::string host_words(const IpAddress& address) {
  return Prefix::host(address).to_string();
}

std::string IptablesPort::at(const Front& front, const std::string& comment,
                             const std::string& target) const {
  const bool of_node = front.kind == FrontKind::kNodePort;
  return rule_words({of_node ? "" : "-d " + host_words(front.address), "-p " + protocol,
                     comment_words(comment), port_words(front.port), jump_words(target)});
}

IptablesContents shared_rules(const RulesWanted& wanted,
                              const std::function<bool(const FrontKey&)>& owns_front) {
  IptablesContents all;
  for (const PortPlan& plan : wanted.plan.ports) {
    const IptablesPort port(wanted, plan);
    SharedRules rules(port, all);
    for (const Front& front : plan.fronts)
      if (owns_front(plan.key(front))) rules.add(front);
    rules.add_health_check();
  }
  return all;
}

}  // namespace weft::service
