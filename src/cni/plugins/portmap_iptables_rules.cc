#include <algorithm>
#include <map>

#include "cni/plugins/portmap_rules.h"

namespace weft::cni {
namespace {

using iptables::AddressTest;
using iptables::Comment;
using iptables::Jump;
using Place = IptablesPlan::Place;

constexpr const char* kSetMark = "CNI-HOSTPORT-SETMARK";
constexpr const char* kMasquerade = "CNI-HOSTPORT-MASQ";
// Versions before 0.7 of the Go plugin had this as well.
constexpr const char* kOldSnat = "CNI-HOSTPORT-SNAT";

std::string mark_chain(const PortmapConfig& config) {
  return config.external_mark_chain.empty() ? kSetMark : config.external_mark_chain;
}

// One for each protocol and fifteen ports, protocols in the order of their names.
std::vector<IptablesRule> entry_rules(const PortmapConfig& config, const AttachmentName& attachment,
                                      Family family, const std::string& chain) {
  std::map<std::string, std::vector<PortMapping>> by_protocol;
  for (const auto& mapping : config.mappings)
    by_protocol[std::string(iptables::to_string(mapping.protocol))].push_back(mapping);
  std::vector<IptablesRule> rules;
  for (const auto& [name, mappings] : by_protocol)
    for (std::size_t i = 0; i < mappings.size(); i += iptables::DestinationPorts::kMost) {
      iptables::DestinationPorts ports;
      const std::size_t end = std::min(i + iptables::DestinationPorts::kMost, mappings.size());
      for (std::size_t j = i; j < end; ++j) ports.ports.push_back(mappings[j].host_port);
      IptablesRule rule{.protocol = mappings[i].protocol,
                        .matches = {Comment{container_comment(attachment, kDnatComment)}, ports},
                        .target = Jump{chain}};
      iptables::add_conditions(rule, config.conditions(family));
      rules.push_back(std::move(rule));
    }
  return rules;
}

// What is to be masqueraded is marked first: connections back into the container's own network,
// and from this machine's loopback.
void add_mapping(std::vector<IptablesRule>& rules, const PortmapConfig& config,
                 const PortMapping& mapping, const InterfaceAddress& container) {
  const Family family = container.address.family();
  IptablesRule base{.protocol = mapping.protocol,
                    .matches = {iptables::DestinationPort{mapping.host_port}}};
  if (const auto host = mapping.only_host_ip()) base.destination = AddressTest{Prefix::host(*host)};
  if (config.snat) {
    IptablesRule marks = base;
    marks.target = Jump{mark_chain(config)};
    if (!config.masquerade_all) marks.source = AddressTest{container.network()};
    rules.push_back(marks);
    if (family == Family::kIpv4 && !config.masquerade_all) {
      marks.source = AddressTest{*Prefix::parse("127.0.0.1/32")};
      rules.push_back(marks);
    }
  }
  base.target = iptables::DestinationNat{container.address, mapping.container_port};
  rules.push_back(base);
}

void need_masquerade_of_marked(IptablesPlan& plan, std::uint32_t mark) {
  plan.need_chain(kSetMark);
  plan.need_rule(kSetMark,
                 {.matches = {Comment{"CNI portfwd masquerade mark"}},
                  .target = iptables::SetMark{mark, mark}},
                 Place::kEnd);
  plan.need_chain(kMasquerade);
  plan.need_rule(kMasquerade,
                 {.matches = {iptables::MarkTest{mark, mark}}, .target = iptables::Masquerade{}},
                 Place::kEnd);
  // In front of the masquerading of bridge and ptp, which ends the chain for what it takes.
  plan.need_rule(
      "POSTROUTING",
      {.matches = {Comment{"CNI portfwd requiring masquerade"}}, .target = Jump{kMasquerade}},
      Place::kFront);
}

}  // namespace

std::vector<std::string> portmap_chains(const std::string& container_chain) {
  return {"PREROUTING", "OUTPUT", "POSTROUTING", kHostportDnat,
          kSetMark,     kOldSnat, kMasquerade,   container_chain};
}

IptablesEdits plan_portmap(const PortmapConfig& config, const AttachmentName& attachment,
                           const InterfaceAddress& container, const PresentChains& present) {
  const Family family = container.address.family();
  const std::string chain = container_chain(attachment, kDnatMark);
  IptablesPlan plan(present);
  if (config.snat && config.external_mark_chain.empty())
    need_masquerade_of_marked(plan, config.mark);
  // At the end: the rules of a service proxy come first (CVE-2019-9946).
  plan.need_chain(kHostportDnat);
  for (const char* hook : {"PREROUTING", "OUTPUT"})
    plan.need_rule(hook, {.matches = {iptables::LocalAddress{}}, .target = Jump{kHostportDnat}},
                   Place::kEnd);
  std::vector<IptablesRule> rules;
  for (const auto& mapping : config.mappings)
    if (mapping.is_of(family)) add_mapping(rules, config, mapping, container);
  plan.need_whole_chain(chain, rules);
  plan.need_jumps(kHostportDnat, chain, entry_rules(config, attachment, family, chain),
                  Place::kFront);
  return plan.edits();
}

IptablesEdits plan_portmap_removal(const std::string& container_chain,
                                   const PresentChains& present) {
  IptablesPlan plan(present);
  for (const char* from : {kHostportDnat, kOldSnat}) plan.drop_jumps(from, container_chain);
  plan.drop_chain(container_chain);
  return plan.edits();
}

}  // namespace weft::cni
