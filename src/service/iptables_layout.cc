#include "service/iptables_layout.h"

#include <array>
#include <cstdio>
#include <utility>

#include "service/iptables_port.h"

namespace weft::service {
namespace {

using namespace chains;

constexpr const char* kNew = "-m conntrack --ctstate NEW";

IptablesJump make_jump(const char* table, const char* to, const char* from, const char* comment,
                       const char* condition = "") {
  return {table, from, to,
          rule_words({condition, *comment == '\0' ? "" : comment_words(comment),
                      std::string("-j ") + to})};
}

std::string hexadecimal(std::uint32_t value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "0x%x", value);
  return text.data();
}

bool serves_localhost(const IptablesOptions& options) {
  return options.rules.family == Family::kIpv4 && options.localhost_node_ports;
}

// Whoever lets node ports be reached at 127.0.0.1 (route_localnet) must keep neighbours from
// reaching everything else there. The kubelet has the same rule (kubernetes issue 90259).
std::string localnet_guard() {
  return rule_words({"! -s 127.0.0.0/8 -d 127.0.0.0/8",
                     comment_words("block incoming localnet connections"),
                     "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT", "-j DROP"});
}

ChainRules filter_frame(const IptablesOptions& options, const std::string& marked) {
  ChainRules chains{
      {kServices, {}}, {kExternalServices, {}}, {kNodePorts, {}}, {kProxyFirewall, {}}};
  auto& forward = chains[kForward];
  if (options.drop_invalid) forward.emplace_back("-m conntrack --ctstate INVALID -j DROP");
  forward.push_back(rule_words(
      {comment_words("kubernetes forwarding rules"), "-m mark --mark " + marked, "-j ACCEPT"}));
  forward.push_back(rule_words({comment_words("kubernetes forwarding conntrack rule"),
                                "-m conntrack --ctstate RELATED,ESTABLISHED", "-j ACCEPT"}));
  if (serves_localhost(options)) chains[kKubeletFirewall] = {localnet_guard()};
  return chains;
}

std::vector<IptablesJump> make_jumps() {
  constexpr const char* kPortals = "kubernetes service portals";
  constexpr const char* kVisible = "kubernetes externally-visible service portals";
  constexpr const char* kBalancer = "kubernetes load balancer firewall";
  return {make_jump("filter", kExternalServices, "INPUT", kVisible, kNew),
          make_jump("filter", kExternalServices, "FORWARD", kVisible, kNew),
          make_jump("filter", kNodePorts, "INPUT", "kubernetes health check service ports"),
          make_jump("filter", kServices, "FORWARD", kPortals, kNew),
          make_jump("filter", kServices, "OUTPUT", kPortals, kNew),
          make_jump("filter", kForward, "FORWARD", "kubernetes forwarding rules"),
          make_jump("filter", kProxyFirewall, "INPUT", kBalancer, kNew),
          make_jump("filter", kProxyFirewall, "OUTPUT", kBalancer, kNew),
          make_jump("filter", kProxyFirewall, "FORWARD", kBalancer, kNew),
          make_jump("nat", kServices, "OUTPUT", kPortals),
          make_jump("nat", kServices, "PREROUTING", kPortals),
          make_jump("nat", kPostrouting, "POSTROUTING", "kubernetes postrouting rules"),
          make_jump("filter", kKubeletFirewall, "INPUT", ""),
          make_jump("filter", kKubeletFirewall, "OUTPUT", "")};
}

}  // namespace

const IptablesDesign& iptables_design() {
  static const IptablesDesign design{
      .jumps = make_jumps(), .is_own = is_proxy_chain, .comes_and_goes = is_port_chain};
  return design;
}

IptablesContents iptables_frame(const IptablesOptions& options) {
  const std::string bit = hexadecimal(options.rules.masquerade_mark);
  const std::string marked = bit + "/" + bit;
  ChainRules nat{{kServices, {}}, {kNodePorts, {}}};
  nat[kMarkMasquerade] = {"-j MARK --set-xmark " + marked};
  // The mark goes, so that a packet that comes round once more is not masqueraded again.
  nat[kPostrouting] = {"-m mark ! --mark " + marked + " -j RETURN",
                       "-j MARK --set-xmark " + bit + "/0x0",
                       rule_words({comment_words("kubernetes service traffic requiring SNAT"),
                                   "-j MASQUERADE", options.random_fully ? "--random-fully" : ""})};
  return {.filter = filter_frame(options, marked), .nat = std::move(nat)};
}

std::vector<std::string> node_port_entrances(const IptablesOptions& options) {
  const std::string comment =
      comment_words("kubernetes service nodeports; NOTE: this must be the last rule in this chain");
  const std::string jump = std::string("-j ") + kNodePorts;
  const auto& addresses = options.rules.node_port_addresses;
  const bool v4 = options.rules.family == Family::kIpv4;
  if (!addresses) {
    // At ::1 they never work: what is sent there cannot leave with a new destination.
    std::string but;
    if (!serves_localhost(options)) but = v4 ? "! -d 127.0.0.0/8" : "! -d ::1/128";
    return {rule_words({but, comment, "-m addrtype --dst-type LOCAL", jump})};
  }
  std::vector<std::string> rules;
  for (const IpAddress& address : *addresses)
    if (address.family() == options.rules.family &&
        (!address.is_loopback() || serves_localhost(options)))
      rules.push_back(rule_words({"-d " + Prefix::host(address).to_string(), comment, jump}));
  return rules;
}

}  // namespace weft::service
