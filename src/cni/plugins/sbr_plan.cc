#include "cni/plugins/sbr_plan.h"

#include <algorithm>

#include "cni/json_reading.h"

namespace weft::cni {
namespace {

CniStatus read_gateways(ObjectReader& reader, SbrConfig& config) {
  std::vector<std::string> texts;
  reader.read("gateways", texts);
  RETURN_IF_ERROR(reader.finish());
  for (const auto& text : texts) {
    const auto address = parse_ip(text);
    if (!address)
      return refuse("failed to parse network configuration: gateways: invalid IP address: " + text);
    auto& target = address->is_v4() ? config.gateway_v4 : config.gateway_v6;
    if (target)
      return refuse("gateways list contains multiple " + std::string(to_string(address->family())) +
                    " addresses: " + target->to_string() + " and " + address->to_string());
    target = address;
  }
  return {};
}

RouteTable take_table(std::set<RouteTable>& used) {
  auto table = RouteTable{kFirstSbrTable};
  while (used.contains(table)) table = RouteTable{static_cast<std::uint32_t>(table) + 1};
  used.insert(table);
  return table;
}

PolicyRule rule_for(const IpAddress& address, RouteTable table) {
  return {.family = address.family(), .source = Prefix::host(address), .table = table};
}

std::optional<IpAddress> gateway_of(const SbrConfig& config, const ResultIp& ip) {
  const auto& given = ip.address.address.is_v4() ? config.gateway_v4 : config.gateway_v6;
  return given ? given : ip.gateway;
}

// The source or gateway is in the address's network, or it has neither: then any source may use it.
bool goes_with(const Route& route, const InterfaceAddress& address) {
  const Prefix network = address.network();
  bool has_gateway = false;
  for (const auto& hop : route.hops) {
    if (!hop.gateway) continue;
    if (network.contains(*hop.gateway)) return true;
    has_gateway = true;
  }
  if (route.source && network.contains(*route.source)) return true;
  return !route.source && !has_gateway;
}

void plan_table(SbrPlan& plan, const SbrConfig& config, const ResultIp& ip, const SbrFacts& facts,
                RouteTable table) {
  plan.rules.push_back(rule_for(ip.address.address, table));
  // A plugin before may have taken the default route away.
  if (const auto gateway = gateway_of(config, ip))
    plan.puts.push_back(
        {.key = {.destination = Prefix(IpAddress::any(ip.address.address.family()), 0),
                 .table = table},
         .hops = {{.gateway = gateway, .link = facts.link}}});
  for (Route route : facts.routes) {
    if (!goes_with(route, ip.address)) continue;
    route.key.table = table;
    plan.puts.push_back(std::move(route));
  }
}

bool is_connected(const Route& route, const InterfaceAddress& address) {
  return route.key.destination == address.network() && !route.gateway();
}

// What is on the link stays in the main table, and says which address to come from.
void plan_hints(SbrPlan& plan, const std::vector<ResultIp>& addresses, const SbrFacts& facts) {
  for (const auto& route : facts.routes) {
    const auto ip = std::find_if(addresses.begin(), addresses.end(), [&](const ResultIp& each) {
      return is_connected(route, each.address);
    });
    if (ip == addresses.end()) {
      if (route.scope != RouteScope::kLink) plan.removals.push_back(route);
      continue;
    }
    Route hinted = route;
    hinted.source = ip->address.address;
    // The kernel's own would stand beside it: IPv6 keeps one route for each source address.
    if (hinted != route && route.key.destination.family() == Family::kIpv6)
      plan.removals.push_back(route);
    plan.hints.push_back(std::move(hinted));
  }
}

}  // namespace

CniResult<SbrConfig> read_sbr_config(const Call& call) {
  SbrConfig config;
  ObjectReader reader(call.config, "failed to parse network configuration");
  std::optional<std::uint32_t> table;
  reader.read("table", table);
  if (table) config.table = RouteTable{*table};
  reader.read("addSourceHints", config.source_hints);
  RETURN_IF_ERROR(read_gateways(reader, config));
  return config;
}

CniResult<std::vector<ResultIp>> addresses_on(const AddResult& result, const std::string& ifname) {
  if (result.ips.empty()) return refuse("No IP addresses supplied on interface: " + ifname);
  std::vector<ResultIp> addresses;
  for (const auto& ip : result.ips) {
    const bool known = ip.interface && *ip.interface >= 0 &&
                       static_cast<std::size_t>(*ip.interface) < result.interfaces.size();
    if (!known || result.interfaces[static_cast<std::size_t>(*ip.interface)].name == ifname)
      addresses.push_back(ip);
  }
  return addresses;
}

SbrPlan plan_sbr(const SbrConfig& config, const std::vector<ResultIp>& addresses,
                 const SbrFacts& facts) {
  SbrPlan plan;
  if (config.table) {
    for (const auto& ip : addresses)
      plan.rules.push_back(rule_for(ip.address.address, *config.table));
    return plan;
  }
  std::set<RouteTable> used = facts.used_tables;
  for (const auto& ip : addresses) plan_table(plan, config, ip, facts, take_table(used));
  if (config.source_hints)
    plan_hints(plan, addresses, facts);
  else
    plan.removals = facts.routes;
  return plan;
}

std::optional<Prefix> missing_route(const SbrConfig& config, const ResultIp& ip,
                                    const AddResult& result, const std::vector<Route>& present) {
  const auto leads = [&](const Prefix& to, const std::optional<IpAddress>& gateway) {
    return std::any_of(present.begin(), present.end(), [&](const Route& route) {
      return route.key.destination == to && (!gateway || route.gateway() == gateway);
    });
  };
  const Prefix anywhere(IpAddress::any(ip.address.address.family()), 0);
  if (gateway_of(config, ip) && !leads(anywhere, {})) return anywhere;
  for (const auto& route : result.routes) {
    const bool went_there = !route.table && route.gateway && !route.destination.is_default() &&
                            ip.address.network().contains(*route.gateway);
    if (went_there && !leads(route.destination, route.gateway)) return route.destination;
  }
  return {};
}

std::vector<PolicyRule> rules_from(const SbrConfig& config, const std::vector<PolicyRule>& rules,
                                   const std::vector<IpAddress>& addresses) {
  std::vector<PolicyRule> found;
  for (const auto& rule : rules) {
    if (!rule.source || (config.table && rule.table != *config.table)) continue;
    const bool ours = std::any_of(addresses.begin(), addresses.end(), [&](const IpAddress& each) {
      return *rule.source == Prefix::host(each);
    });
    if (ours) found.push_back(rule);
  }
  return found;
}

}  // namespace weft::cni
