// dhcp.h: IPAM by a DHCP server of the container's network.
//
// A lease must be kept alive, which a plugin that ends after each call cannot do: `dhcp daemon`
// does it, and the plugin hands its calls over. It waits as long as the daemon does.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kDhcp;

}  // namespace weft::cni
