#include "cni/plugins/tap_config.h"

#include "cni/main_config.h"

namespace weft::cni {

CniResult<TapConfig> read_tap_config(const Call& call) {
  TapConfig config;
  ObjectReader reader(call.config, "failed to load netconf");
  reader.read("multiQueue", config.tap.multi_queue);
  reader.read("owner", config.tap.owner);
  reader.read("group", config.tap.group);
  reader.read("selinuxContext", config.selinux_context);
  reader.read("bridge", config.bridge);
  RETURN_IF_ERROR(reader.finish());
  return config;
}

CniResult<DevicePlan> plan_tap(const Call& call, Command) {
  ASSIGN_OR_RETURN(const TapConfig config, read_tap_config(call));
  DevicePlan plan{.device = {.kind = "tun", .tap = config.tap},
                  .has_mac_of_its_own = true,
                  .bridge = config.bridge,
                  .interface = {.arp_notify = true}};
  ObjectReader reader(call.config, "failed to load netconf");
  reader.read("mtu", plan.mtu);
  plan.dns = read_dns(reader);
  ASSIGN_OR_RETURN(plan.ipam_type, read_ipam_type(reader));
  ASSIGN_OR_RETURN(plan.mac,
                   read_mac(call, {MacSource::kConfig, MacSource::kVariable, MacSource::kRuntime}));
  RETURN_IF_ERROR(reader.finish());
  RETURN_IF_ERROR(check_mtu(plan, nullptr));
  return plan;
}

}  // namespace weft::cni
