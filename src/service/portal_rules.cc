#include "service/portal_rules.h"

#include <algorithm>
#include <array>

#include "service/iptables_port.h"

namespace weft::service {
namespace {

using namespace chains;

bool is_portal_chain(std::string_view table, std::string_view name) {
  constexpr std::array<std::string_view, 4> kOfNat{kPortalsContainer, kPortalsHost,
                                                   kNodePortContainer, kNodePortHost};
  if (table == "filter") return name == kNodePortNonLocal;
  return table == "nat" && std::find(kOfNat.begin(), kOfNat.end(), name) != kOfNat.end();
}

std::vector<IptablesJump> make_jumps() {
  const std::string portals =
      comment_words("handle ClusterIPs; NOTE: this must be before the NodePort rules");
  const std::string node_ports = rule_words(
      {"-m addrtype --dst-type LOCAL",
       comment_words("handle service NodePorts; NOTE: this must be the last rule in the chain")});
  const std::string non_local = comment_words("Ensure that non-local NodePort traffic can flow");
  const auto jump = [](const char* table, const char* from, const char* to,
                       const std::string& words, bool at_end = false) {
    return IptablesJump{table, from, to, words + " " + jump_words(to), at_end};
  };
  return {jump("nat", "PREROUTING", kPortalsContainer, portals),
          jump("nat", "OUTPUT", kPortalsHost, portals),
          jump("nat", "PREROUTING", kNodePortContainer, node_ports, true),
          jump("nat", "OUTPUT", kNodePortHost, node_ports, true),
          jump("filter", "INPUT", kNodePortNonLocal, non_local)};
}

/// Rules of one portal.
class PortalRules {
 public:
  PortalRules(const Portal& portal, const std::optional<IpAddress>& node_address,
              IptablesContents& all)
      : protocol_(protocol_word(portal.protocol)),
        comment_(comment_words(portal.name)),
        all_(all),
        redirect_("-j REDIRECT --to-ports " + std::to_string(portal.relay_port)),
        to_node_(node_address
                     ? "-j DNAT --to-destination " +
                           place_word({.address = *node_address, .port = portal.relay_port})
                     : redirect_),
        relay_port_(portal.relay_port) {}

  void add(const Front& front) {
    switch (front.kind) {
      case FrontKind::kClusterIp:
      case FrontKind::kLoadBalancer:
        put(kPortalsContainer, front, "", redirect_);
        put(kPortalsHost, front, "", to_node_);
        return;
      case FrontKind::kExternalIp:
        // Not what one container sends to another by its bridge, unless the node has the address.
        put(kPortalsContainer, front, "-m physdev ! --physdev-is-in", redirect_);
        put(kPortalsContainer, front, kIsLocal, redirect_);
        put(kPortalsHost, front, kIsLocal, to_node_);
        return;
      case FrontKind::kNodePort:
        put(kNodePortContainer, front, "", redirect_);
        put(kNodePortHost, front, "", to_node_);
        all_.filter[kNodePortNonLocal].push_back(
            rule_words({"-p " + protocol_, comment_, port_words(relay_port_),
                        "-m state --state NEW", "-j ACCEPT"}));
    }
  }

 private:
  static constexpr const char* kIsLocal = "-m addrtype --dst-type LOCAL";

  std::string port_words(std::uint16_t port) const {
    return "-m " + protocol_ + " --dport " + std::to_string(port);
  }
  void put(const char* chain, const Front& front, const char* condition,
           const std::string& target) {
    const bool of_node = front.kind == FrontKind::kNodePort;
    all_.nat[chain].push_back(
        rule_words({of_node ? "" : "-d " + host_words(front.address), "-p " + protocol_, comment_,
                    port_words(front.port), condition, target}));
  }

  const std::string protocol_;
  const std::string comment_;
  IptablesContents& all_;
  const std::string redirect_;
  const std::string to_node_;
  const std::uint16_t relay_port_;
};

}  // namespace

const IptablesDesign& portal_design() {
  static const IptablesDesign design{.jumps = make_jumps(),
                                     .is_own = is_portal_chain,
                                     .comes_and_goes = [](std::string_view) { return false; }};
  return design;
}

IptablesContents portal_rules(const std::vector<Portal>& portals,
                              const std::optional<IpAddress>& node_address) {
  IptablesContents all{.filter = {{kNodePortNonLocal, {}}},
                       .nat = {{kPortalsContainer, {}},
                               {kPortalsHost, {}},
                               {kNodePortContainer, {}},
                               {kNodePortHost, {}}}};
  for (const Portal& portal : portals) {
    PortalRules rules(portal, node_address, all);
    for (const Front& front : portal.fronts) rules.add(front);
  }
  return all;
}

}  // namespace weft::service
