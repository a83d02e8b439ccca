// flannel.h: hands the node's flannel subnet to another plugin, bridge unless told otherwise.
//
// What the delegate got is kept in <dataDir>/<container id>, as the Go plugin keeps it, so that
// DEL asks for the same that ADD was given, and either side can undo what the other did.
// Beyond the Go plugin: the file goes only after the delegate's DEL succeeded; a DEL that finds
// no file, or half of one, still lets the delegate clean up by name; CHECK, STATUS and GC do
// something; and a network that is not ready says why.
#pragma once

#include "cni/plugin.h"

namespace weft::cni {

extern const Plugin kFlannel;

}  // namespace weft::cni
