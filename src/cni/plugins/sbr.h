// sbr.h: source based routing: what comes from a device's address leaves by that device.
//
// A drop-in for the Go plugin of that name, with its tables and rules. What is better: an ADD that
// fails takes back what it has changed, DEL succeeds where namespace or device are gone, and CHECK
// looks at the rules and routes. Calls for one namespace wait for each other, also for
// those of the Go plugin, by flock(2) on the namespace's file.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kSbr;

}  // namespace weft::cni
