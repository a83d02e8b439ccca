#include "overlay/vxlan_plan.h"

#include <algorithm>

namespace weft::overlay {
namespace {

constexpr std::uint16_t kKernelDefaultPort = 8472;

// The attributes that a vxlan device keeps for its life. The port counts only when one was
// asked for, and flannel's devices do not differ in the rest.
std::string immutable_difference(const VxlanOptions& desired, const Link& actual) {
  if (actual.kind != "vxlan" || !actual.vxlan) return "it is no vxlan device";
  const VxlanOptions& found = *actual.vxlan;
  if (found.vni != desired.vni) return "its VNI differs";
  if (found.underlay != desired.underlay) return "it sits on another device";
  if (found.local != desired.local)
    return "its local address is " + (found.local ? found.local->to_string() : "unset");
  if (found.port != desired.port) return "its port is " + std::to_string(found.port);
  if (found.learning != desired.learning) return "its learning flag differs";
  if (found.gbp != desired.gbp) return "its GBP flag differs";
  return "";
}

}  // namespace

std::string vtep_name(Family family, Vni vni) {
  return (family == Family::kIpv4 ? "flannel." : "flannel-v6.") +
         std::to_string(static_cast<std::uint32_t>(vni));
}

Vtep plan_vtep(const VxlanBackend& backend, const Prefix& subnet, const MacAddress& mac,
               LinkIndex underlay, std::uint32_t underlay_mtu, const IpAddress& local) {
  const Family family = subnet.family();
  return {.name = vtep_name(family, backend.vni),
          .mac = mac,
          .mtu = (backend.mtu != 0 ? backend.mtu : underlay_mtu) - vxlan_overhead(family),
          .options = {.vni = backend.vni,
                      .underlay = underlay,
                      .local = local,
                      .port = backend.port != 0 ? backend.port : kKernelDefaultPort,
                      .learning = backend.learning,
                      .gbp = backend.gbp},
          .address = {.address = subnet.address(), .length = address_bits(family)}};
}

VtepEdits diff_vtep(const Vtep& desired, const Prefix& network, const std::optional<Link>& actual,
                    const std::vector<LinkAddress>& addresses) {
  VtepEdits edits;
  if (!actual) {
    edits.create = true;
    return edits;
  }
  edits.recreate_because = immutable_difference(desired.options, *actual);
  if (!edits.recreate_because.empty()) return edits;
  if (actual->mac != desired.mac) edits.set_mac = desired.mac;
  if (actual->mtu != desired.mtu) edits.set_mtu = desired.mtu;
  edits.set_up = !actual->up;
  edits.add_address = true;
  for (const auto& found : addresses) {
    const InterfaceAddress& address = found.key.address;
    if (address == desired.address)
      edits.add_address = false;
    else if (network.contains(address.address))
      edits.remove_addresses.push_back(address);
  }
  return edits;
}

ForwardingTables plan_vxlan_peers(const VxlanBackend& backend, LinkIndex vtep,
                                  const std::vector<Peer>& peers,
                                  const std::vector<Route>& node_routes) {
  ForwardingTables tables;
  for (const auto& peer : peers) {
    const RouteKey key = main_route(peer.subnet);
    const auto direct = backend.direct_routing
                            ? directly_connected(node_routes, peer.public_address)
                            : std::nullopt;
    if (direct) {
      // No device of ours marks this route as ours: the protocol has to.
      tables.routes[key] = Route{.key = key,
                                 .protocol = RouteProtocol::kWeft,
                                 .hops = {{.gateway = peer.public_address, .link = *direct}}};
      continue;
    }
    const IpAddress& gateway = peer.subnet.address();
    tables.routes[key] =
        Route{.key = key, .hops = {{.gateway = gateway, .link = vtep, .onlink = true}}};
    const NeighbourKey neighbour{.link = vtep, .address = gateway};
    tables.neighbours[neighbour] = Neighbour{.key = neighbour, .mac = peer.vtep_mac};
    const FdbKey forwarding{.link = vtep, .mac = peer.vtep_mac};
    tables.fdb[forwarding] = FdbEntry{.key = forwarding, .remote = peer.public_address};
  }
  return tables;
}

}  // namespace weft::overlay
