// ipvlan_config.h: the configuration of the ipvlan plugin. Pure.
//
// Source: containernetworking/plugins, plugins/main/ipvlan.
#pragma once

#include "cni/device_plan.h"

namespace weft::cni {

/// In a chain the one interface of the result before is the master, and without IPAM its addresses
/// are the container's.
CniResult<DevicePlan> plan_ipvlan(const Call& call, Command command);

}  // namespace weft::cni
