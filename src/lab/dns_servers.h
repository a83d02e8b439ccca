// dns_servers.h: the DNS servers of a lab, inside (in pods, see cluster_dns.h) and outside.
#pragma once

#include "base/result.h"
#include "lab/model.h"
#include "lab/programs.h"

namespace weft::lab {

/// Writes what the servers in pods will read, and every node's resolv.conf, and starts the outside
/// host's server. Before the nodes.
Status prepare_dns(const Lab& lab, const Programs& programs);

/// Waits until the servers in pods say that they are ready, at most 15 s.
Status wait_for_dns(const Lab& lab);

}  // namespace weft::lab
