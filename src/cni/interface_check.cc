#include "cni/interface_check.h"

#include <algorithm>
#include <set>

#include "kernel/rtnetlink.h"

namespace weft::cni {
namespace {

using kernel::Rtnetlink;

bool covers(const Route& route, const IpAddress& address, LinkIndex link) {
  return route.link() == link && route.key.destination.contains(address);
}

// The main table, and those that rules or the device's VRF lead to: later plugins of the list (sbr,
// vrf) move routes there. Not the local one, which has every address.
Result<std::set<RouteTable>> tables_of_routes(Rtnetlink& rtnetlink, Family family,
                                              const Link& link) {
  std::set<RouteTable> tables{RouteTable::kMain};
  ASSIGN_OR_RETURN(const auto rules, rtnetlink.rules(family));
  for (const auto& rule : rules) tables.insert(rule.table);
  tables.erase(RouteTable::kLocal);
  if (link.master == LinkIndex::kNone) return tables;
  ASSIGN_OR_RETURN(const auto master, rtnetlink.link(link.master));
  if (master && master->vrf) tables.insert(RouteTable{master->vrf->table});
  return tables;
}

}  // namespace

CniResult<InterfaceState> read_interface(const kernel::Netns& container,
                                         const std::string& ifname) {
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(container));
  ASSIGN_OR_RETURN(Rtnetlink inside, Rtnetlink::open());
  ASSIGN_OR_RETURN(auto link, inside.link(ifname));
  if (!link) return refuse("Container Interface name " + ifname + " not found");
  InterfaceState state{.link = *std::move(link)};
  ASSIGN_OR_RETURN(state.addresses, inside.addresses(state.link.index));
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    ASSIGN_OR_RETURN(const auto tables, tables_of_routes(inside, family, state.link));
    for (const RouteTable table : tables) {
      ASSIGN_OR_RETURN(const auto routes, inside.routes(family, table));
      state.routes.insert(state.routes.end(), routes.begin(), routes.end());
    }
  }
  return state;
}

CniStatus check_interface(const InterfaceState& state, const AddResult& result,
                          const std::string& ifname) {
  for (const auto& ip : result.ips) {
    if (ip.interface &&
        (*ip.interface < 0 || static_cast<std::size_t>(*ip.interface) >= result.interfaces.size() ||
         result.interfaces[static_cast<std::size_t>(*ip.interface)].name != ifname))
      continue;
    const bool there =
        std::any_of(state.addresses.begin(), state.addresses.end(),
                    [&](const LinkAddress& held) { return held.key.address == ip.address; });
    if (!there)
      return refuse("Failed to match addr " + ip.address.to_string() + " on interface " + ifname);
    const bool routed = std::any_of(
        state.routes.begin(), state.routes.end(),
        [&](const Route& route) { return covers(route, ip.address.address, state.link.index); });
    if (!routed)
      return refuse("Failed to find route for " + ip.address.to_string() + " on interface " +
                    ifname);
  }
  for (const auto& wanted : result.routes) {
    if (wanted.table && *wanted.table != static_cast<std::uint32_t>(RouteTable::kMain)) continue;
    const bool there = std::any_of(
        state.routes.begin(), state.routes.end(),
        [&](const Route& route) { return route.key.destination == wanted.destination; });
    if (!there) return refuse("Expected Route " + wanted.destination.to_string() + " not found");
  }
  return {};
}

CniResult<const ResultInterface*> find_in_sandbox(const AddResult& result,
                                                  const std::string& ifname,
                                                  const std::string& sandbox) {
  const auto found = std::find_if(result.interfaces.begin(), result.interfaces.end(),
                                  [&](const ResultInterface& interface) {
                                    return interface.name == ifname && interface.sandbox == sandbox;
                                  });
  if (found == result.interfaces.end())
    return refuse("Sandbox in prevResult doesn't match configured netns: " + sandbox);
  return &*found;
}

CniStatus check_mac(const Link& link, const ResultInterface& expected, const char* what) {
  if (expected.mac.empty() || MacAddress::parse(expected.mac) == link.mac) return {};
  return refuse(std::string(what) + " " + link.name + " Mac " + link.mac.to_string() +
                " doesn't match prevResult Mac " + expected.mac);
}

}  // namespace weft::cni
