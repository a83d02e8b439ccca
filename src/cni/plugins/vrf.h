// vrf.h: a container's device in a VRF of its namespace, a routing domain of its own
// (Documentation/networking/vrf.rst).
//
// A drop-in for the Go plugin of that name. What is better: an ADD that fails takes back what it
// has changed, calls for one namespace wait for each other so that no two choose one table, and DEL
// succeeds without the device, and takes it out of this VRF only.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kVrf;

}  // namespace weft::cni
