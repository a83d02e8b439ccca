// tap.h: a TAP device in the container, for a virtual machine that runs there.
//
// Beyond the Go plugin: no program is run, a failed ADD leaves no device behind, and the MAC
// address is kept also when both owner and group are named.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kTap;

}  // namespace weft::cni
