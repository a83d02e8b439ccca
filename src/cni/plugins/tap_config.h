// tap_config.h: the configuration of the tap plugin. Pure.
//
// Source: containernetworking/plugins, plugins/main/tap.
#pragma once

#include <string>

#include "cni/device_plan.h"

namespace weft::cni {

struct TapConfig {
  TapOptions tap = {};
  std::string selinux_context = {};  ///< of who makes the device; empty: ours
  std::string bridge = {};           ///< in the container: the device becomes a port of it
};

CniResult<TapConfig> read_tap_config(const Call& call);
CniResult<DevicePlan> plan_tap(const Call& call, Command command);

}  // namespace weft::cni
