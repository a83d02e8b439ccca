// firewall_rules.h: what the firewall plugin wants of iptables. Pure.
//
// Chains, rules and comments are those of containernetworking/plugins 1.9.1
// (plugins/meta/firewall/{iptables,ingresspolicy}.go). A container's rules carry its attachment
// beside what iptables sees of them, so that DEL and GC find them without a result.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cni/plugins/firewall_config.h"
#include "net/iptables_plan.h"

namespace weft::cni {

/// The chains of table filter that a plan has to see.
std::vector<std::string> firewall_chains(const FirewallConfig& config);

/// Lets traffic of a container's addresses of one family through, and answers to it. With a
/// policy, `bridge` is closed to what comes from other bridges; empty otherwise.
IptablesEdits plan_firewall(const FirewallConfig& config, const std::string& owner,
                            const std::vector<IpAddress>& addresses, const std::string& bridge,
                            const PresentChains& present);

/// Takes rules of containers away: those whose owner is named, and those without an owner (from
/// the Go plugin, or from before a restored ruleset) that are about one of the addresses. What
/// the containers share stays.
IptablesEdits plan_firewall_removal(const std::function<bool(const std::string&)>& is_owner,
                                    const std::vector<IpAddress>& addresses,
                                    const PresentChains& present);

}  // namespace weft::cni
