// cluster_objects.h: the objects that a cluster's control plane would hold of a lab: Nodes, Pods,
// Services and their EndpointSlices. Pure.
//
// What an API server, the kubelets and the EndpointSlice controller do between them in a cluster
// is worked out here at once: everything there is to know of a lab is known to the command that
// changes it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "lab/model.h"
#include "lab/view.h"

namespace weft::lab {

/// Manifests, in an order that does not change with the lab's history. Pods without an address
/// are in no slice, and those without a running program are not ready.
std::vector<Json> plan_cluster_objects(const Lab& lab, const LabView& view);

}  // namespace weft::lab
