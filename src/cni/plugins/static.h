// static.h: IPAM that gives out what its configuration says, and keeps nothing.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kStatic;

}  // namespace weft::cni
