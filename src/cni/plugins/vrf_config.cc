#include "cni/plugins/vrf_config.h"

#include <algorithm>
#include <set>

namespace weft::cni {

CniResult<VrfConfig> read_vrf_config(const Call& call) {
  VrfConfig config;
  ObjectReader reader(call.config, "failed to load netconf");
  reader.read("vrfname", config.name);
  std::uint32_t table = 0;
  reader.read("table", table);
  RETURN_IF_ERROR(reader.finish());
  if (!is_valid_link_name(config.name))
    return refuse("configuration is expected to have a valid vrf name");
  config.table = RouteTable{table};
  return config;
}

RouteTable free_vrf_table(const std::vector<Link>& links) {
  std::set<std::uint32_t> taken;
  for (const auto& link : links)
    if (link.vrf) taken.insert(link.vrf->table);
  std::uint32_t table = 1;
  while (taken.contains(table)) ++table;
  return RouteTable{table};
}

std::vector<LinkAddress> lost_addresses(const std::vector<LinkAddress>& before,
                                        const std::vector<LinkAddress>& after) {
  std::vector<LinkAddress> lost;
  for (const auto& address : before) {
    if (address.key.address.address.is_v4() || address.scope != RouteScope::kUniverse) continue;
    const bool kept = std::any_of(after.begin(), after.end(), [&](const LinkAddress& other) {
      return other.key == address.key;
    });
    if (!kept) lost.push_back(address);
  }
  return lost;
}

std::vector<Route> moved_routes(const std::vector<Route>& main, LinkIndex link, RouteTable table) {
  std::vector<Route> moved;
  for (Route route : main) {
    const bool ours =
        !route.hops.empty() && std::all_of(route.hops.begin(), route.hops.end(),
                                           [link](const NextHop& hop) { return hop.link == link; });
    const bool made_again =
        route.scope == RouteScope::kLink && route.protocol == RouteProtocol::kKernel;
    if (!ours || made_again) continue;
    route.key.table = table;
    moved.push_back(std::move(route));
  }
  std::stable_partition(moved.begin(), moved.end(),
                        [](const Route& route) { return !route.gateway(); });
  return moved;
}

}  // namespace weft::cni
