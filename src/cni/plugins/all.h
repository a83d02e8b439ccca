// all.h: the plugins of this program.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

/// In alphabetical order.
Plugins all_plugins();

}  // namespace weft::cni
