// vlan_config.h: the configuration of the vlan plugin. Pure.
//
// Source: containernetworking/plugins, plugins/main/vlan.
#pragma once

#include "cni/device_plan.h"

namespace weft::cni {

CniResult<DevicePlan> plan_vlan(const Call& call, Command command);

}  // namespace weft::cni
