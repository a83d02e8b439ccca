// host_local.h: IPAM out of ranges on this machine, kept in files.
//
// Beyond the Go plugin: GC; one lock for the whole call with a limit on the waiting; time that does
// not grow with the addresses held; files that a crash has left empty are nobody's; with
// "releaseAfterReboot" those of a former boot neither; and an exhausted pool says who holds it.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kHostLocal;

}  // namespace weft::cni
