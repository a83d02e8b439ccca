// portmap_flows.h: which flows a port mapping that comes or goes leaves with a wrong translation.
// Pure.
//
// The Go plugin flushes, on ADD, every UDP flow to that port of any host, a name server's 53
// among them, and none on DEL (containernetworking/plugins issue 1190). Here a flow goes only
// when its first packet was for an address of this machine that the mapping covers, and only
// where it leads elsewhere than the mapping says (ADD) or to where it said (DEL).
#pragma once

#include <set>

#include "cni/plugins/portmap_config.h"
#include "net/flow.h"

namespace weft::cni {

/// TCP flows end by themselves; the others go on for as long as packets come.
bool keeps_flows(const PortMapping& mapping);

/// A flow to the mapped port that the mapping, just made, does not have: from before it, or of a
/// container that had the port. `local` are the addresses of this machine, 127.0.0.0/8 aside.
bool bypasses(const ConntrackEntry& entry, const PortMapping& mapping, const IpAddress& container,
              const std::set<IpAddress>& local);

/// A flow that the mapping made.
bool was_made_by(const ConntrackEntry& entry, const PortMapping& mapping,
                 const IpAddress& container);

}  // namespace weft::cni
