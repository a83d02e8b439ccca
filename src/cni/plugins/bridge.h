// bridge.h: a veth pair between the container and a bridge on the host.
//
// Beyond the Go plugin: a failed ADD leaves neither link nor lease nor rules behind, DEL gives
// the address back also when namespace, link or the rest of the configuration are gone, GC and
// STATUS do something, and IPv6 needs no second of waiting.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kBridge;

/// CHECK, in a file of its own.
CniStatus check_bridge(const Call& call);

}  // namespace weft::cni
