// iptables_rules.h: what iptables mode makes of one service: rules as iptables-save prints them.
// Pure.
//
// Theory of operation. A packet to a service meets table nat first, in KUBE-SERVICES: one rule for
// each address and port, which leads to a chain of that port.
//
//   KUBE-SVC-x  from inside: perhaps a mark for masquerading, then one of the endpoints, by
//               affinity or by chance; KUBE-SVL-x the same out of the endpoints of policy Local
//   KUBE-EXT-x  from outside: masquerade, or keep the source and stay on this node; then as above
//   KUBE-FW-x   a load balancer's restrictions: who may goes on to KUBE-EXT-x
//   KUBE-SEP-x  one endpoint: its own packets are marked, and all go to its address
//
// What has no endpoint passes table nat as it came, and is refused or dropped in table filter.
//
// Source: k8s.io/kubernetes pkg/proxy/iptables/proxier.go (1.34); chains, rules and comments are
// its own. Different are: two services that ask for one address do not both have a rule for it
// (front_claims.h); an address of a load balancer that is an external address as well has the first
// one's rules; no rule counts into nfacct, since every rule has counters of its own.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "service/iptables_names.h"
#include "service/rule_options.h"

namespace weft::service {

struct IptablesOptions {
  RuleOptions rules = {};
  /// IPv4 node ports at loopback addresses, too. Needs the sysctl route_localnet.
  bool localhost_node_ports = true;
  /// Drop what connection tracking takes for nothing it knows, instead of letting it reach clients
  /// that would reset their connection.
  bool drop_invalid = true;
  bool random_fully = true;  ///< iptables knows MASQUERADE --random-fully
  bool operator==(const IptablesOptions&) const = default;
};

/// Chains by name, each with its rules in order: the texts behind "-A CHAIN ".
using ChainRules = std::map<std::string, std::vector<std::string>>;

struct IptablesContents {
  ChainRules filter = {};
  ChainRules nat = {};
  bool operator==(const IptablesContents&) const = default;
};

/// A service whose rules are wanted.
struct RulesWanted {
  const ServiceName& name;
  const ServicePlan& plan;
  const IptablesOptions& options;
  /// Whether the chains of endpoints, which are most of all, say whose they are.
  bool commented = true;
};

/// Its rules in the chains that all services share, at the fronts that it has.
IptablesContents shared_rules(
    const RulesWanted& wanted,
    const std::function<bool(const FrontKey&)>& owns_front = [](const FrontKey&) { return true; });
/// Its own chains, all in table nat.
ChainRules port_chains(const RulesWanted& wanted);

}  // namespace weft::service
