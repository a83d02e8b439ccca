// host_device_lookup.h: which device of the host a configuration means, by way of sysfs.
#pragma once

#include <optional>

#include "cni/plugins/host_device_config.h"
#include "kernel/rtnetlink.h"

namespace weft::cni {

/// The device; nothing when a driver of user space (DPDK) has it, so that the kernel knows of no
/// network device. Works in the calling thread's namespace, as sysfs and `host` do.
CniResult<std::optional<Link>> find_host_device(kernel::Rtnetlink& host,
                                                const HostDeviceConfig& config);

/// Whether a driver of user space has the device that the configuration names by a bus id.
CniResult<bool> has_user_space_driver(const HostDeviceConfig& config);

}  // namespace weft::cni
