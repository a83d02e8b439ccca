// store.h: the store that the agents of a lab share: a folder, or etcd on the outside host.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "lab/model.h"

namespace weft::lab {

/// What an agent is told about the store.
std::vector<std::string> store_flags(const Lab& lab);

/// Starts the store and writes the overlay's configuration into it.
Status set_up_store(const Lab& lab);

/// Writes the lease that a node shall get, if the lab says which: the agent of the node takes
/// up the lease that bears its address, as flannel does.
Status seed_lease(const Lab& lab, const Node& node);

/// Takes the leases of a node out of the store.
Status remove_leases(const Lab& lab, const Node& node);

}  // namespace weft::lab
