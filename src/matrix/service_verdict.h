// service_verdict.h: whether what the probes of a service brought is what a service promises. Pure.
//
// Whoever asks a service gets an answer of one of its ready endpoints, now of this one and now of
// that one. The endpoint sees a pod's own address, since nothing needs to be rewritten inside the
// pod network, but for one case: a pod that is sent to itself has to go by its node's address, or
// its answer would not go back through the node (hairpin). From outside it sees the address of the
// node that was asked, or the client's own where the service is only for endpoints of that node.
#pragma once

#include <vector>

#include "matrix/model.h"
#include "matrix/verdict.h"

namespace weft::matrix {

/// `nodes` are all of the nodes' addresses.
Verdict judge_service(const Place& from, const Place& from_node, const Place& service,
                      const std::vector<IpAddress>& nodes, const ProbeResult& result);

/// Probes of a service, beyond which one endpoint that answers them all is no chance.
inline constexpr unsigned kServiceProbes = 24;

}  // namespace weft::matrix
