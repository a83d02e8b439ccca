#include "overlay/node_identity.h"

#include "overlay/peers.h"

namespace weft::overlay {

LeaseAttributes published_attributes(const NetConf& conf, const NodeIdentity& identity) {
  LeaseAttributes attributes{.backend_type = std::string(backend_type(conf.backend))};
  for (const auto& [family, address] : identity.uplink.public_addresses)
    (family == Family::kIpv4 ? attributes.public_ipv4 : attributes.public_ipv6) = address;
  if (const auto* vxlan = std::get_if<VxlanBackend>(&conf.backend))
    for (const auto& [family, mac] : identity.vtep_macs)
      (family == Family::kIpv4 ? attributes.backend_data : attributes.backend_v6_data) =
          VtepData{.vni = vxlan->vni, .mac = mac}.to_json();
  return attributes;
}

std::map<Family, MacAddress> published_macs(const Lease& lease) {
  std::map<Family, MacAddress> macs;
  if (const auto data = VtepData::parse(lease.attributes.backend_data))
    macs[Family::kIpv4] = data->mac;
  if (const auto data = VtepData::parse(lease.attributes.backend_v6_data))
    macs[Family::kIpv6] = data->mac;
  return macs;
}

}  // namespace weft::overlay
