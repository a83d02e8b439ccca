#include "cni/interface_plan.h"

#include <algorithm>

namespace weft::cni {
namespace {

std::string ipv6_setting(const std::string& ifname, const char* name) {
  return "net/ipv6/conf/" + ifname + "/" + name;
}

CniStatus check_index(const AddResult& result, const ResultIp& ip, const std::string& ifname) {
  const int index = *ip.interface;
  if (index >= 0 && static_cast<std::size_t>(index) < result.interfaces.size() &&
      result.interfaces[static_cast<std::size_t>(index)].name == ifname)
    return {};
  return refuse("failed to add IP addr " + ip.address.to_string() + " to " + in_quotes(ifname) +
                ": invalid interface index");
}

void plan_settings(InterfacePlan& plan, const std::string& ifname,
                   const InterfaceOptions& options) {
  const bool detect = options.detect_duplicates.value_or(false);
  if (detect) plan.settings.push_back({.name = ipv6_setting(ifname, "enhanced_dad"), .value = "1"});
  if (options.detect_duplicates)
    plan.settings.push_back(
        {.name = ipv6_setting(ifname, "accept_dad"), .value = detect ? "1" : "0"});
  if (options.ndisc_notify)
    plan.settings.push_back({.name = ipv6_setting(ifname, "ndisc_notify"), .value = "1"});
  const bool ipv6 =
      std::any_of(plan.addresses.begin(), plan.addresses.end(),
                  [](const InterfaceAddress& address) { return !address.address.is_v4(); });
  if (!ipv6) return;
  for (const std::string& device : {std::string("lo"), ifname})
    plan.settings.push_back(
        {.name = ipv6_setting(device, "disable_ipv6"), .value = "0", .needed = true});
  plan.settings.push_back({.name = ipv6_setting(ifname, "keep_addr_on_down"), .value = "1"});
}

std::optional<IpAddress> first_gateway(const AddResult& result, Family family) {
  for (const auto& ip : result.ips)
    if (ip.interface && ip.gateway && ip.gateway->family() == family) return ip.gateway;
  return std::nullopt;
}

// First the gateway is reachable, and then its network through it. The kernel's own route to the
// network must not be there: it would look for every address of it on the link.
CniStatus plan_routes_through_gateway(const ResultIp& ip, std::vector<Route>& routes) {
  if (!ip.gateway)
    return refuse("IPAM plugin returned no gateway for " + ip.address.to_string() +
                  ", which is the other end of the link");
  routes.push_back({.key = {.destination = Prefix::host(*ip.gateway)},
                    .scope = RouteScope::kLink,
                    .hops = {{}},
                    .source = ip.address.address});
  if (ip.address.length < address_bits(ip.address.address.family()))
    routes.push_back({.key = {.destination = ip.address.network()},
                      .hops = {{.gateway = ip.gateway}},
                      .source = ip.address.address});
  return {};
}

Route plan_route(const ResultRoute& wanted, const AddResult& result) {
  const auto gateway =
      wanted.gateway ? wanted.gateway : first_gateway(result, wanted.destination.family());
  return {
      .key = {.destination = wanted.destination,
              .table = wanted.table ? static_cast<RouteTable>(*wanted.table) : RouteTable::kMain,
              .metric = wanted.priority},
      .scope = static_cast<RouteScope>(wanted.scope.value_or(0)),
      .hops = {{.gateway = gateway}},
      .mtu = wanted.mtu,
      .advmss = wanted.advmss};
}

}  // namespace

CniResult<InterfacePlan> plan_interface(const AddResult& result, const std::string& ifname,
                                        const InterfaceOptions& options) {
  InterfacePlan plan{.prefix_routes = !options.through_gateways, .arp_notify = options.arp_notify};
  for (const auto& ip : result.ips) {
    if (!ip.interface) continue;
    RETURN_IF_ERROR(check_index(result, ip, ifname));
    plan.addresses.push_back(ip.address);
    if (options.through_gateways) RETURN_IF_ERROR(plan_routes_through_gateway(ip, plan.routes));
    if (options.detect_duplicates.value_or(false) && ip.gateway && !ip.gateway->is_v4())
      plan.wait_for_dad = true;
  }
  plan_settings(plan, ifname, options);
  for (const auto& wanted : result.routes) {
    Route route = plan_route(wanted, result);
    if (std::find(plan.routes.begin(), plan.routes.end(), route) == plan.routes.end())
      plan.routes.push_back(std::move(route));
  }
  return plan;
}

}  // namespace weft::cni
