// tuning.h: sysctls of the container, and attributes of its device.
//
// A drop-in for the Go plugin of that name, with its files (tuning_backup.h). What is better: an
// ADD that fails takes back what it has changed; a backup goes with the container also when its
// namespace went first, or by GC; CHECK does not mind how the kernel spaces numbers; `args` may
// hold sysctls where the configuration has none, which ended the Go plugin.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kTuning;

}  // namespace weft::cni
