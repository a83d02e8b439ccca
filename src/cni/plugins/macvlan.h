// macvlan.h: a device with a MAC address of its own on a device of the host.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kMacvlan;

}  // namespace weft::cni
