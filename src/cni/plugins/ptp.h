// ptp.h: a veth pair between the container and the host, which routes.
//
// Beyond the Go plugin: a failed ADD leaves nothing behind; DEL removes the masquerading also when
// the namespace, and with it the addresses, are gone; CHECK looks at the host's end and its routes;
// GC does something; IPv6 needs no second of waiting.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kPtp;

}  // namespace weft::cni
