#include "cni/plugins/ptp_config.h"

#include <algorithm>

#include "cni/main_config.h"

namespace weft::cni {
namespace {

InterfaceAddress alone(const IpAddress& address) {
  return {.address = address, .length = address_bits(address.family())};
}

}  // namespace

CniResult<PtpConfig> read_ptp_config(const Call& call) {
  PtpConfig config{.device = {.device = {.kind = "veth"},
                              .needs_addresses = true,
                              .interface = {.through_gateways = true}}};
  DevicePlan& device = config.device;
  ObjectReader reader(call.config, "failed to load netconf");
  reader.read("mtu", device.mtu);
  reader.read("ipMasq", config.ip_masq);
  reader.read("ipMasqBackend", config.ip_masq_backend);
  device.dns = read_dns_if_told(reader);
  ASSIGN_OR_RETURN(device.ipam_type, read_ipam_type(reader));
  RETURN_IF_ERROR(reader.finish());
  RETURN_IF_ERROR(check_mtu(device, nullptr));
  RETURN_IF_ERROR(check_masquerade_backend(config.ip_masq_backend));
  return config;
}

PtpHost plan_ptp_host(const AddResult& result, LinkIndex host) {
  PtpHost wanted;
  for (const auto& ip : result.ips) {
    if (!ip.gateway) continue;
    const LinkAddress address{.key = {.link = host, .address = alone(*ip.gateway)}};
    if (std::find(wanted.addresses.begin(), wanted.addresses.end(), address) ==
        wanted.addresses.end())
      wanted.addresses.push_back(address);
    wanted.routes.push_back({.key = main_route(Prefix::host(ip.address.address)),
                             .scope = RouteScope::kHost,
                             .hops = {{.link = host}}});
  }
  return wanted;
}

}  // namespace weft::cni
