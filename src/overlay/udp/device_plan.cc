#include "overlay/udp/device_plan.h"

namespace weft::overlay::udp {

TunnelDevice plan_device(const Prefix& subnet, std::uint32_t uplink_mtu) {
  return {.mtu = uplink_mtu - kOverhead,
          .address = {.address = subnet.address(), .length = address_bits(subnet.family())}};
}

DeviceEdits diff_device(const TunnelDevice& desired, const Prefix& network, const Link& actual,
                        const std::vector<LinkAddress>& addresses) {
  DeviceEdits edits;
  edits.set_up = !actual.up;
  edits.address = diff_address(desired.address, network, addresses);
  if (actual.mtu != desired.mtu) edits.set_mtu = desired.mtu;
  return edits;
}

ForwardingTables plan_route(const Prefix& network, LinkIndex device) {
  ForwardingTables tables;
  const RouteKey key{.destination = network, .metric = kRouteMetric};
  tables.routes[key] = Route{.key = key, .hops = {{.link = device}}};
  return tables;
}

}  // namespace weft::overlay::udp
