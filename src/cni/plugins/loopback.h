// loopback.h: "lo" up. Its addresses must be loopback addresses.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kLoopback;

}  // namespace weft::cni
