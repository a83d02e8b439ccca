// host_device_config.h: the configuration of the host-device plugin. Pure.
//
// Source: containernetworking/plugins, plugins/main/host-device.
#pragma once

#include <string>

#include "cni/device_plan.h"

namespace weft::cni {

/// At least one says which device is meant; the first of them that is not empty does.
struct HostDeviceConfig {
  std::string device = {};       ///< its name
  std::string hwaddr = {};       ///< its MAC address
  std::string kernel_path = {};  ///< a folder below /sys/devices/
  std::string pci_bus_id = {};   ///< "0000:00:1f.6"
  std::string device_id = {};    ///< on the PCI or the auxiliary bus, from runtimeConfig
  DevicePlan plan = {};          ///< for what comes after the move
};

CniResult<HostDeviceConfig> read_host_device_config(const Call& call);

}  // namespace weft::cni
