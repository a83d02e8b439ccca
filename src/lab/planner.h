// planner.h: from what a person asked for to a lab with every name and address chosen. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "lab/lab_file.h"
#include "lab/manifest.h"
#include "lab/model.h"

namespace weft::lab {

/// Chooses what the file leaves open: nodes "node1", ...; addresses 172.31.0.11/24 and on with
/// gateway 172.31.0.1 (and fd00:31::b/64, fd00:31::1 when the overlay has IPv6); a gateway is
/// the first address of its network; pods "NODE-pod1", ...; pods without a node in turn;
/// addresses and node ports of services (services.h).
/// Refuses names and addresses that are there twice, an unknown node, an address that is its own
/// gateway.
Result<Lab> plan_lab(const std::string& name, const LabFile& file, const Manifests& manifests);

/// One more node in a lab, with `pods` pods more; what `wanted` leaves open is chosen as above.
/// An empty name is the first "nodeN" that is free.
Result<Lab> with_node(Lab lab, Node wanted, unsigned pods);
/// The lab without a node and its pods. Fails for the last node.
Result<Lab> without_node(Lab lab, const std::string& name);

/// One more pod. An empty name is "NODE-podN", an empty node the one with the fewest pods.
Result<Lab> with_pod(Lab lab, Pod wanted);
Result<Lab> without_pod(Lab lab, const std::string& name);

/// "there is no node or pod "nod1" in lab "lab"; did you mean node1?"
Failure unknown_member(const Lab& lab, const std::string& name);

}  // namespace weft::lab
