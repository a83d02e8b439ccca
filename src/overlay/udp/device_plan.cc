#include "overlay/udp/device_plan.h"

namespace weft::overlay::udp {

TunnelDevice plan_device(const Prefix& subnet, std::uint32_t uplink_mtu) {
  return {.mtu = uplink_mtu - kOverhead, .address = tunnel_address(subnet)};
}

ForwardingTables plan_route(const Prefix& network, LinkIndex device) {
  ForwardingTables tables;
  const RouteKey key{.destination = network, .metric = kRouteMetric};
  tables.routes[key] = Route{.key = key, .hops = {{.link = device}}};
  return tables;
}

}  // namespace weft::overlay::udp
