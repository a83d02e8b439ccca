#include "overlay/vxlan_plan.h"

#include <algorithm>
#include <utility>

#include "base/json.h"

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

Result<VtepData> VtepData::parse(std::string_view text) {
  if (text.empty()) return fail("it has no VXLAN data");
  auto json = parse_json(text);
  if (!json) return fail("its VXLAN data is no JSON");
  ObjectReader reader(*json, "its VXLAN data");
  std::uint32_t vni = 1;
  std::string mac_text;
  reader.read("VNI", vni);
  reader.read("VtepMAC", mac_text);
  RETURN_IF_ERROR(reader.finish());
  const auto mac = MacAddress::parse(mac_text);
  if (!mac || mac->is_zero() || (mac->bytes[0] & 1U) != 0)
    return fail("its VtepMAC \"" + mac_text.substr(0, 40) + "\" is no unicast MAC address");
  return VtepData{.vni = Vni{vni}, .mac = *mac};
}

std::string VtepData::to_json() const {
  return "{\"VNI\":" + std::to_string(static_cast<std::uint32_t>(vni)) + ",\"VtepMAC\":\"" +
         mac.to_string() + "\"}";
}

std::map<Family, MacAddress> published_macs(const Lease& lease) {
  std::map<Family, MacAddress> macs;
  for (const Family family : {Family::kIpv4, Family::kIpv6})
    if (const auto data = VtepData::parse(lease.attributes.data(family))) macs[family] = data->mac;
  return macs;
}

PeerRules vxlan_peer_rules(const VxlanBackend& backend) {
  const auto number = [](Vni vni) { return std::to_string(static_cast<std::uint32_t>(vni)); };
  const auto read = [number, ours = backend.vni](const std::string& text, Peer& peer) -> Status {
    ASSIGN_OR_RETURN(const VtepData data, VtepData::parse(text));
    if (data.vni != ours)
      return fail("its VNI is " + number(data.vni) + ", ours is " + number(ours));
    peer.vtep_mac = data.mac;
    return {};
  };
  return {.backend_type = "vxlan", .read_data = read, .is_gateway = backend.direct_routing};
}

std::string vtep_name(Family family, Vni vni) {
  return (family == Family::kIpv4 ? "flannel." : "flannel-v6.") +
         std::to_string(static_cast<std::uint32_t>(vni));
}

Vtep plan_vtep(const VxlanBackend& backend, const Prefix& subnet, const MacAddress& mac,
               LinkIndex underlay, std::uint32_t underlay_mtu, const IpAddress& local) {
  const Family family = subnet.family();
  return {
      .name = vtep_name(family, backend.vni),
      .mac = mac,
      .options = {.vni = backend.vni,
                  .underlay = underlay,
                  .local = local,
                  .port = backend.port != 0 ? backend.port : kKernelDefaultPort,
                  .learning = backend.learning,
                  .gbp = backend.gbp},
      .device = {.mtu = (backend.mtu != 0 ? backend.mtu : underlay_mtu) - vxlan_overhead(family),
                 .address = tunnel_address(subnet)}};
}

VtepEdits diff_vtep(const Vtep& desired, const std::optional<Link>& actual) {
  if (!actual) return {.create = true};
  std::string difference = immutable_difference(desired.options, *actual);
  if (!difference.empty()) return {.remove_because = std::move(difference), .create = true};
  if (actual->mac != desired.mac) return {.set_mac = desired.mac};
  return {};
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
