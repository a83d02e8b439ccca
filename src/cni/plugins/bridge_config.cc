#include "cni/plugins/bridge_config.h"

#include <algorithm>
#include <set>

#include "cni/main_config.h"
#include "net/link.h"

namespace weft::cni {
namespace {

constexpr int kLastVlan = 4094;

bool is_vlan(int id) {
  return id > 0 && id <= kLastVlan;
}

CniStatus add_trunk(const Json& json, std::set<std::uint16_t>& vlans) {
  ObjectReader reader(json, "vlanTrunk");
  std::optional<int> first;
  std::optional<int> last;
  std::optional<int> single;
  reader.read("minID", first);
  reader.read("maxID", last);
  reader.read("id", single);
  RETURN_IF_ERROR(reader.finish());
  const std::string both = "minID and maxID should be configured simultaneously, ";
  if (first && !last) return refuse(both + "maxID is missing");
  if (!first && last) return refuse(both + "minID is missing");
  if (first) {
    if (!is_vlan(*first)) return refuse("incorrect trunk minID parameter");
    if (!is_vlan(*last)) return refuse("incorrect trunk maxID parameter");
    if (*last < *first) return refuse("minID is greater than maxID in trunk parameter");
    for (int id = *first; id <= *last; ++id) vlans.insert(static_cast<std::uint16_t>(id));
  }
  if (single && !is_vlan(*single)) return refuse("incorrect trunk id parameter");
  if (single) vlans.insert(static_cast<std::uint16_t>(*single));
  return {};
}

CniStatus read_vlans(ObjectReader& reader, BridgeConfig& config) {
  int vlan = 0;
  reader.read("vlan", vlan);
  if (vlan < 0 || vlan > kLastVlan)
    return refuse("invalid VLAN ID " + std::to_string(vlan) + " (must be between 0 and 4094)");
  config.vlan = static_cast<std::uint16_t>(vlan);
  const Json* trunk = reader.array("vlanTrunk");
  if (trunk == nullptr) return {};
  config.has_vlan_trunk = true;
  std::set<std::uint16_t> vlans;
  for (const auto& entry : *trunk) RETURN_IF_ERROR(add_trunk(entry, vlans));
  config.vlan_trunk.assign(vlans.begin(), vlans.end());
  return {};
}

CniStatus check(const BridgeConfig& config) {
  if (!is_valid_link_name(config.bridge))
    return refuse(in_quotes(config.bridge) + " is no valid name of a bridge");
  if (config.hairpin && config.promiscuous)
    return refuse("cannot set hairpin mode and promiscuous mode at the same time");
  if (config.disable_container_interface && !config.ipam_type.empty())
    return refuse("cannot use IPAM when DisableContainerInterface flag is set");
  return check_masquerade_backend(config.ip_masq_backend);
}

void read_switches(ObjectReader& reader, BridgeConfig& config) {
  reader.read("isGateway", config.is_gateway);
  reader.read("isDefaultGateway", config.is_default_gateway);
  reader.read("forceAddress", config.force_address);
  reader.read("ipMasq", config.ip_masq);
  reader.read("hairpinMode", config.hairpin);
  reader.read("promiscMode", config.promiscuous);
  reader.read("preserveDefaultVlan", config.preserve_default_vlan);
  reader.read("macspoofchk", config.mac_spoof_check);
  reader.read("enabledad", config.enable_dad);
  reader.read("disableContainerInterface", config.disable_container_interface);
  reader.read("portIsolation", config.port_isolation);
  if (config.is_default_gateway) config.is_gateway = true;
}

}  // namespace

CniResult<BridgeConfig> read_bridge_config(const Call& call) {
  BridgeConfig config;
  ObjectReader reader(call.config, "failed to load netconf");
  reader.read("bridge", config.bridge);
  read_switches(reader, config);
  reader.read("ipMasqBackend", config.ip_masq_backend);
  int mtu = 0;
  reader.read("mtu", mtu);
  config.mtu = mtu > 0 ? static_cast<std::uint32_t>(mtu) : 0;
  config.dns = read_dns(reader);
  ASSIGN_OR_RETURN(config.ipam_type, read_ipam_type(reader));
  RETURN_IF_ERROR(read_vlans(reader, config));
  ASSIGN_OR_RETURN(config.mac,
                   read_mac(call, {MacSource::kVariable, MacSource::kArgs, MacSource::kRuntime}));
  RETURN_IF_ERROR(reader.finish());
  RETURN_IF_ERROR(check(config));
  return config;
}

std::vector<InterfaceAddress> complete_with_gateways(AddResult& result, const BridgeConfig& config,
                                                     int container) {
  std::vector<InterfaceAddress> gateways;
  for (auto& ip : result.ips) {
    ip.interface = container;
    if (!ip.gateway && config.is_gateway) ip.gateway = ip.address.network().address().plus(1);
    const Prefix everything(IpAddress::any(ip.address.address.family()), 0);
    const bool has_default = std::any_of(
        result.routes.begin(), result.routes.end(),
        [&](const ResultRoute& route) { return route.gateway && route.destination == everything; });
    if (config.is_default_gateway && !has_default)
      result.routes.push_back({.destination = everything, .gateway = ip.gateway});
    if (!config.is_gateway || !ip.gateway) continue;
    const InterfaceAddress gateway{.address = *ip.gateway, .length = ip.address.length};
    if (std::find(gateways.begin(), gateways.end(), gateway) == gateways.end())
      gateways.push_back(gateway);
  }
  return gateways;
}

}  // namespace weft::cni
