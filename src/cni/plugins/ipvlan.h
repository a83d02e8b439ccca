// ipvlan.h: a device on one of the host, with that one's MAC address.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kIpvlan;

}  // namespace weft::cni
