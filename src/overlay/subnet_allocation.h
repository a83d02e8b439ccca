// subnet_allocation.h: which subnet a node takes (flannel's local_manager.go).
//
// Pure: the leases, the routes in the way and the dice are passed in. Taking what was chosen
// is the lease keeper's job; when another node was faster it asks again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/lease.h"
#include "overlay/net_conf.h"

namespace weft::overlay {

/// What a node knows when it looks for its subnet.
struct AllocationFacts {
  std::map<Family, IpAddress> public_addresses = {};  ///< how this node is reached
  std::optional<LeaseKey> previous = {};              ///< what subnet.env says this node had
  std::vector<Prefix> routed_elsewhere = {};  ///< destinations that this node reaches otherwise
};

struct Allocation {
  LeaseKey key;
  /// A lease that is this node's already and only has to be rewritten.
  std::optional<Lease> own;
  /// Leases of this node that no longer fit the configuration: to be removed.
  std::vector<Lease> stale;
  bool operator==(const Allocation&) const = default;
};

/// A uniformly random number below its argument, which is at least 1.
using Dice = std::function<std::size_t(std::size_t)>;

/// In this order: the lease that names this node's public address, the subnet it had before,
/// one of the first hundred that are free, at random, so that nodes which start together
/// seldom want the same one. Fails when no subnet is free and says how many are taken.
Result<Allocation> choose_subnet(const NetConf& conf, const LeaseView& leases,
                                 const AllocationFacts& facts, const Dice& dice);

/// A lease other than that of `key` which covers some of its addresses, or nullptr. A store keeps
/// two nodes from one key; but two that start together may take keys that differ in one family and
/// agree in the other.
const Lease* find_overlapping(const LeaseView& leases, const LeaseKey& key);

}  // namespace weft::overlay
