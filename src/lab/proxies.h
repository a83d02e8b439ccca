// proxies.h: the nodes' service proxies (`weftd kube-proxy`), and the folder of objects that they
// follow.
//
// One that dies stays dead until `weft lab proxy start` (node_program.h).
#pragma once

#include <string>

#include "base/result.h"
#include "lab/model.h"
#include "lab/node_program.h"
#include "lab/programs.h"

namespace weft::lab {

/// Writes the objects of the lab as it is (cluster_objects.h) where every node reads them.
Status write_objects(const Lab& lab);

/// Starts a node's proxy and waits until it has programmed the services, at most 15 s.
Status start_proxy(const Lab& lab, const Programs& programs, const std::string& node);

NodeProgram proxy_of(const std::string& lab, const std::string& node);

}  // namespace weft::lab
