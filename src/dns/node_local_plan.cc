#include "dns/node_local_plan.h"

#include <algorithm>

#include "net/nft_rules.h"

namespace weft::dns {
namespace {

using nft::L4Protocol;
using nft::Rule;
using nft::RuleWriter;

constexpr std::uint8_t kHostBits4 = 32;
constexpr std::uint8_t kHostBits6 = 128;
constexpr const char* kPrerouting = "prerouting";
constexpr const char* kOutput = "output";

std::string set_name(Family family) {
  return family == Family::kIpv4 ? "local-ipv4" : "local-ipv6";
}

// "10.96.0.10/32"
InterfaceAddress as_host(const IpAddress& address) {
  return {.address = address, .length = address.is_v4() ? kHostBits4 : kHostBits6};
}

std::set<IpAddress> addresses_of(const nft::TableContents& table) {
  std::set<IpAddress> addresses;
  for (const Family family : {Family::kIpv4, Family::kIpv6})
    if (const auto set = table.sets.find(set_name(family)); set != table.sets.end())
      for (const nft::Element& element : set->second.elements)
        if (const auto address = IpAddress::from_bytes(
                {reinterpret_cast<const char*>(element.key.data()), element.key.size()}))
          addresses.insert(*address);
  return addresses;
}

nft::Set address_set(const std::set<IpAddress>& addresses, Family family) {
  nft::Set set{.name = set_name(family)};
  const bool is_v4 = family == Family::kIpv4;
  set.key_type = is_v4 ? nft::data_type::kIpv4Address : nft::data_type::kIpv6Address;
  set.key_length = is_v4 ? 4 : 16;
  for (const IpAddress& address : addresses)
    if (address.family() == family)
      set.elements.push_back({.key = {address.bytes().begin(), address.bytes().end()}});
  return set;
}

// Queries to the addresses, and where they leave the node's own sockets, answers from them.
std::vector<Rule> untracked(Family family, std::uint16_t port, bool with_answers) {
  std::vector<Rule> rules;
  for (const L4Protocol protocol : {L4Protocol::kUdp, L4Protocol::kTcp}) {
    rules.push_back(RuleWriter(nft::TableFamily::kInet)
                        .destination_in_set(family, set_name(family))
                        .destination_port_is(protocol, port)
                        .notrack());
    if (with_answers)
      rules.push_back(RuleWriter(nft::TableFamily::kInet)
                          .source_in_set(family, set_name(family))
                          .source_port_is(protocol, port)
                          .notrack());
  }
  return rules;
}

std::vector<Rule> rules_of(const std::set<IpAddress>& addresses, std::uint16_t port,
                           bool with_answers) {
  std::vector<Rule> rules;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const bool is_used =
        std::any_of(addresses.begin(), addresses.end(),
                    [&](const IpAddress& address) { return address.family() == family; });
    if (!is_used) continue;
    for (Rule& rule : untracked(family, port, with_answers)) rules.push_back(std::move(rule));
  }
  return rules;
}

nft::Chain base_chain(const char* name, nft::HookPoint point) {
  return {.name = name, .hook = nft::Hook{.point = point, .priority = nft::priority::kRaw}};
}

bool has_rules(const std::optional<nft::TableContents>& table) {
  return table && std::any_of(table->rules.begin(), table->rules.end(),
                              [](const auto& entry) { return !entry.second.empty(); });
}

}  // namespace

nft::TableId node_local_table() {
  return {.family = nft::TableFamily::kInet, .name = "weft-dns"};
}

NodeLocalPlan plan_node_local(const NodeLocalAim& aim, const NodeLocalFacts& facts) {
  const std::set<IpAddress> wanted(aim.addresses.begin(), aim.addresses.end());
  NodeLocalPlan plan;
  plan.table.table.id = node_local_table();
  for (const Family family : {Family::kIpv4, Family::kIpv6})
    plan.table.add(address_set(wanted, family));
  const bool captures = aim.captures || has_rules(facts.table);
  const auto rules = [&](bool with_answers) {
    return captures ? rules_of(wanted, aim.port, with_answers) : std::vector<Rule>();
  };
  plan.table.add(base_chain(kPrerouting, nft::HookPoint::kPrerouting), rules(false));
  plan.table.add(base_chain(kOutput, nft::HookPoint::kOutput), rules(true));
  for (const IpAddress& address : wanted)
    if (!facts.present.contains(as_host(address)))
      plan.add.push_back({.key = {.link = facts.loopback, .address = as_host(address)},
                          .scope = RouteScope::kHost});
  if (facts.table)
    for (const IpAddress& address : addresses_of(*facts.table))
      if (!wanted.contains(address) && facts.present.contains(as_host(address)))
        plan.remove.push_back({.link = facts.loopback, .address = as_host(address)});
  return plan;
}

}  // namespace weft::dns
