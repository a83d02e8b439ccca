// forward_obstacles.h: what in this node's nftables keeps the pods' packets from being forwarded
// although our rules accept them. Read and told; changed by nobody but its owner.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/nftables.h"
#include "net/address.h"
#include "overlay/uplink.h"

namespace weft::overlay {

/// Where the pods of `subnet` are: the device that has an address of it and is none of `tunnels`.
/// "cni0" as long as there is none: most nodes will call it so once the first pod has come.
std::string pod_device(const Prefix& subnet, const std::vector<std::string>& tunnels,
                       const NodeNetwork& network);

/// One line for each table that certainly drops a peer's packet to a pod of `subnet`, behind
/// `bridge`, or a pod's packet out of `device` to a peer: where it does, and what its owner can do.
/// The tables of iptables, kube-proxy and our own are left out: their drops are not by mistake, or
/// are dealt with where they are.
Result<std::vector<std::string>> forward_obstacles(kernel::Nftables& nftables,
                                                   const Prefix& network, const Prefix& subnet,
                                                   const std::string& device,
                                                   const std::string& bridge);

}  // namespace weft::overlay
