#include "cni/plugins/vlan_config.h"

#include "cni/main_config.h"

namespace weft::cni {
namespace {

constexpr int kLastVlan = 4094;

}  // namespace

CniResult<DevicePlan> plan_vlan(const Call& call, Command) {
  // Its MAC address is its master's, which switches may insist on.
  DevicePlan plan{.device = {.kind = "vlan"}, .needs_addresses = true};
  ObjectReader reader(call.config, "failed to load netconf");
  int id = 0;
  reader.read("vlanId", id);
  reader.read("mtu", plan.mtu);
  plan.parent = read_parent(reader);
  plan.dns = read_dns(reader);
  ASSIGN_OR_RETURN(plan.ipam_type, read_ipam_type(reader));
  RETURN_IF_ERROR(reader.finish());
  if (plan.parent->name.empty())
    return refuse(
        "\"master\" field is required. It specifies the host interface name to create the "
        "VLAN for");
  // The words are upstream's; 4095 is reserved (IEEE 802.1Q) and refused.
  if (id < 0 || id > kLastVlan)
    return refuse("invalid VLAN ID " + std::to_string(id) +
                  " (must be between 0 and 4095 inclusive)");
  plan.device.vlan = VlanOptions{.id = static_cast<std::uint16_t>(id)};
  return plan;
}

}  // namespace weft::cni
