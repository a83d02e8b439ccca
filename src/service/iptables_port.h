// iptables_port.h: what all rules of one port of a service are put together from. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/iptables_rules.h"

namespace weft::service {

/// "-m comment --comment TEXT". What would tear a line apart becomes a question mark, and a text is
/// cut where the kernel would: a name may come from a file that nobody has checked.
std::string comment_words(std::string text);

/// Joins the parts that are not empty.
std::string rule_words(const std::vector<std::string>& parts);

/// "-j CHAIN"
std::string jump_words(const std::string& chain);

/// "10.96.0.10/32"
std::string host_words(const IpAddress& address);

/// One port of a service and its words. What it was made of must outlive it.
struct IptablesPort {
  IptablesPort(const RulesWanted& wanted, const PortPlan& of)
      : plan(wanted.plan),
        port(of),
        options(wanted.options),
        commented(wanted.commented),
        name(port_name(wanted.name, of)),
        protocol(protocol_word(of.protocol)) {}

  const ServicePlan& plan;
  const PortPlan& port;
  const IptablesOptions& options;
  const bool commented;
  const std::string name;
  const std::string protocol;

  Family family() const { return options.rules.family; }
  std::string chain(std::string_view prefix) const {
    return port_chain(prefix, name, port.protocol);
  }
  std::string endpoint(const EndpointRecord& of) const {
    return endpoint_chain(name, port.protocol, of);
  }
  std::string port_words(std::uint16_t number) const {
    return "-m " + protocol + " --dport " + std::to_string(number);
  }
  /// A rule about packets to a front. Of a port of the node: at any address.
  std::string at(const Front& front, const std::string& comment, const std::string& target) const;
  bool restricted(const Front& front) const {
    return front.kind == FrontKind::kLoadBalancer && plan.restricted;
  }
};

}  // namespace weft::service
