// dummy_config.h: the configuration of the dummy plugin. Pure.
//
// Source: containernetworking/plugins, plugins/main/dummy.
#pragma once

#include "cni/device_plan.h"

namespace weft::cni {

CniResult<DevicePlan> plan_dummy(const Call& call, Command command);

}  // namespace weft::cni
