#include "overlay/peers.h"

#include "base/json.h"

namespace weft::overlay {
namespace {

struct Half {
  const std::optional<Prefix>& subnet;
  const std::optional<IpAddress>& public_address;
  const std::string& data;
};

Half half(const Lease& lease, Family family) {
  const bool v4 = family == Family::kIpv4;
  return {.subnet = v4 ? lease.key.ipv4 : lease.key.ipv6,
          .public_address = v4 ? lease.attributes.public_ipv4 : lease.attributes.public_ipv6,
          .data = v4 ? lease.attributes.backend_data : lease.attributes.backend_v6_data};
}

Result<Peer> read_peer(const NetConf& conf, const Half& from, const PodNetwork& network) {
  if (!network.network.contains(*from.subnet))
    return fail("it lies outside " + network.network.to_string());
  if (!from.public_address)
    return fail("it names no public " + std::string(to_string(from.subnet->family())) + " address");
  Peer peer{.subnet = *from.subnet, .public_address = *from.public_address, .vtep_mac = {}};
  if (const auto* vxlan = std::get_if<VxlanBackend>(&conf.backend)) {
    ASSIGN_OR_RETURN(const VtepData data, VtepData::parse(from.data));
    if (data.vni != vxlan->vni)
      return fail("its VNI is " + std::to_string(static_cast<std::uint32_t>(data.vni)) +
                  ", ours is " + std::to_string(static_cast<std::uint32_t>(vxlan->vni)));
    peer.vtep_mac = data.mac;
  }
  return peer;
}

void add_family(const NetConf& conf, const LeaseView& leases, const LeaseKey& own, Family family,
                const PodNetwork& network, Peers& peers) {
  auto& accepted = peers.of[family];
  const auto& own_subnet = family == Family::kIpv4 ? own.ipv4 : own.ipv6;
  for (const auto& [key, lease] : leases.leases) {
    if (key == own || lease.attributes.backend_type != backend_type(conf.backend)) continue;
    const Half from = half(lease, family);
    if (!from.subnet) continue;
    const auto refuse = [&peers, &shown = key](const std::string& reason) {
      peers.refused.push_back("lease " + shown.describe() + ": not programmed: " + reason);
    };
    if (own_subnet && own_subnet->overlaps(*from.subnet)) {
      refuse("it overlaps this node's own subnet " + own_subnet->to_string());
    } else if (!accepted.empty() && accepted.back().subnet.overlaps(*from.subnet)) {
      refuse("it overlaps the lease " + accepted.back().subnet.to_string());
    } else if (auto peer = read_peer(conf, from, network)) {
      accepted.push_back(*peer);
    } else {
      refuse(peer.error().what);
    }
  }
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

Peers find_peers(const NetConf& conf, const LeaseView& leases, const LeaseKey& own) {
  Peers peers;
  for (const auto& [family, network] : conf.networks)
    add_family(conf, leases, own, family, network, peers);
  return peers;
}

}  // namespace weft::overlay
