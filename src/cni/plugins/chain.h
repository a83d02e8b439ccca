// chain.h: `weft-chain`: the members of a list, run in one process.
//
// A runtime starts every plugin of a list by itself, and stops a DEL at the first that fails, so
// that those in front of it are never called: an address is lost. With this plugin a list has one
// plugin, which does what the runtime would do with its members, except that a DEL calls them all.
// A member that is in this program is called directly, another is looked for on CNI_PATH and run.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kChain;

}  // namespace weft::cni
