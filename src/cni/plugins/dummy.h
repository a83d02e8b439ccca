// dummy.h: a device that leads nowhere and has addresses.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kDummy;

}  // namespace weft::cni
