// bandwidth.h: limits of a container's rate, in either direction.
//
// Towards the container a token bucket is on the host's end of its veth. What comes from it is
// sent through a device of kind ifb, which has a token bucket too. A drop-in for the Go plugin:
// names, disciplines and their numbers are the same. What is better: an ADD that fails leaves
// nothing behind, two interfaces of a container in one network do not collide, CHECK sees a
// missing discipline or filter, and GC removes devices whose container is gone (they bear their
// attachment's hash as an alias).
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kBandwidth;

}  // namespace weft::cni
