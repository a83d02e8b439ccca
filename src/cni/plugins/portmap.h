// portmap.h: the portmap plugin: ports of the host that lead into a container.
//
// Source: containernetworking/plugins, plugins/meta/portmap. DEL and GC take away what either back
// end, or the Go plugin, has made, whichever is configured now.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kPortmap;

}  // namespace weft::cni
