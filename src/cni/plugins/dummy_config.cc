#include "cni/plugins/dummy_config.h"

#include "cni/main_config.h"

namespace weft::cni {

CniResult<DevicePlan> plan_dummy(const Call& call, Command) {
  DevicePlan plan{.device = {.kind = "dummy"}, .has_mac_of_its_own = true};
  ObjectReader reader(call.config, "failed to parse network config");
  ASSIGN_OR_RETURN(plan.ipam_type, read_ipam_type(reader));
  RETURN_IF_ERROR(reader.finish());
  if (plan.ipam_type.empty()) return refuse("dummy interface requires an IPAM configuration");
  return plan;
}

}  // namespace weft::cni
