// host_device.h: a device of the host, lent to the container.
//
// The device bears its name on the host as an alias while it is away, so that DEL finds it
// whatever became of the configuration. The alias is set first, and one message moves and renames
// the device: whenever the plugin is killed, the device is either at home or can be brought home.
// The Go plugin does it through a third namespace, with which a killed plugin would destroy a
// virtual device.
//
// Beyond the Go plugin: an ADD that fails after the move brings the device home, up if it was up;
// DEL gives the address back also when namespace, device or alias are gone; GC.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kHostDevice;

}  // namespace weft::cni
