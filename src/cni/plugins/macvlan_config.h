// macvlan_config.h: the configuration of the macvlan plugin. Pure.
//
// Source: containernetworking/plugins, plugins/main/macvlan.
#pragma once

#include "cni/device_plan.h"

namespace weft::cni {

CniResult<DevicePlan> plan_macvlan(const Call& call, Command command);

}  // namespace weft::cni
