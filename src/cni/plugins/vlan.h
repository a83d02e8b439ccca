// vlan.h: one VLAN of a device of the host.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kVlan;

}  // namespace weft::cni
