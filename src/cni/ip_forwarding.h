// ip_forwarding.h: the host as a router between containers and the rest.
#pragma once

#include "cni/cni_error.h"
#include "kernel/rtnetlink.h"

namespace weft::cni {

/// Lets the host forward packets of a family. A host that got its IPv6 default route from a
/// router keeps it: forwarding would make the kernel drop such routes (accept_ra).
CniStatus enable_forwarding(kernel::Rtnetlink& host, Family family);

}  // namespace weft::cni
