// pods.h: a pod is a network namespace wired by the real CNI plugins, and a program in it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "lab/model.h"
#include "lab/programs.h"

namespace weft::lab {

/// Links the plugins' names to weft-cni, and writes 10-flannel.conflist of a node.
Status install_plugins(const std::string& lab, const Programs& programs);
Status write_network_list(const Lab& lab, const std::string& node);

/// Makes the pods of one node: namespaces, CNI ADD, programs. The node must have its subnet.
Status add_pods(const Lab& lab, const Programs& programs, const std::string& node,
                const std::vector<Pod>& pods);

/// Ends the pod's program, calls CNI DEL and removes the namespace. A failing DEL is told after
/// the rest is done.
Status remove_pod(const Lab& lab, const Pod& pod);

/// Starts the responder of a node or of the outside host.
Status start_responder(const Lab& lab, const Programs& programs, const std::string& member);

}  // namespace weft::lab
