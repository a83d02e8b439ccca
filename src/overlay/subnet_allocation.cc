#include "overlay/subnet_allocation.h"

#include <algorithm>

namespace weft::overlay {
namespace {

// flannel collects as many before it rolls the dice.
constexpr std::size_t kCandidates = 100;

// Whether a key has a fitting subnet of each enabled family, and none of another.
bool fits(const NetConf& conf, const LeaseKey& key) {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const auto network = conf.networks.find(family);
    const auto& subnet = key.subnet(family);
    if (subnet.has_value() != (network != conf.networks.end())) return false;
    if (subnet && !network->second.allows(*subnet)) return false;
  }
  return true;
}

const Prefix* find_overlap(const Prefix& subnet, const std::vector<Prefix>& others) {
  const auto found = std::find_if(others.begin(), others.end(),
                                  [&](const Prefix& other) { return other.overlaps(subnet); });
  return found == others.end() ? nullptr : &*found;
}

// The first subnet of that length behind everything that `subnet` and `blocker` cover: a route
// that covers a whole IPv6 network must not cost a step for each of its subnets.
std::optional<Prefix> behind(const Prefix& subnet, const Prefix& blocker) {
  return Prefix(std::max(subnet.last(), blocker.last()), subnet.length()).next();
}

// A node is told apart by its IPv4 address, or by its IPv6 one where there is no IPv4.
bool is_own(const NetConf& conf, const AllocationFacts& facts, const LeaseAttributes& attributes) {
  const Family family = conf.networks.begin()->first;
  const auto own = facts.public_addresses.find(family);
  return own != facts.public_addresses.end() &&
         attributes.public_address(family) == std::optional(own->second);
}

class FreeSubnets {
 public:
  FreeSubnets(const PodNetwork& network, Family family, const LeaseView& leases,
              const std::vector<Prefix>& routed_elsewhere)
      : network_(network), routed_elsewhere_(routed_elsewhere) {
    for (const auto& [key, lease] : leases.leases)
      if (const auto& subnet = key.subnet(family)) leased_.push_back(*subnet);
    std::sort(leased_.begin(), leased_.end());
  }

  bool leased(const Prefix& subnet) const {
    // Leases do not overlap each other, so only the neighbours in order can overlap this one.
    const auto after = std::upper_bound(leased_.begin(), leased_.end(), subnet);
    if (after != leased_.end() && after->overlaps(subnet)) return true;
    for (auto before = after; before != leased_.begin();) {
      --before;
      if (before->overlaps(subnet)) return true;
      if (before->length() >= subnet.length()) break;
    }
    return false;
  }

  Result<Prefix> pick(const Dice& dice) const {
    std::vector<Prefix> candidates;
    std::size_t in_the_way = 0;
    std::optional<Prefix> subnet = network_.first;
    while (subnet && *subnet <= network_.last && candidates.size() < kCandidates) {
      const Prefix* blocker = find_overlap(*subnet, routed_elsewhere_);
      if (blocker != nullptr)
        ++in_the_way;
      else if (!leased(*subnet))
        candidates.push_back(*subnet);
      subnet = blocker != nullptr ? behind(*subnet, *blocker) : subnet->next();
    }
    if (!candidates.empty()) return candidates[dice(candidates.size())];
    std::string what = "no subnet is free in " + network_.network.to_string() + ": " +
                       std::to_string(leased_.size()) + " leased";
    if (in_the_way != 0)
      what += ", and " + std::to_string(in_the_way) + " routes of this node are in the way";
    return fail(what,
                "take a larger Network, a longer SubnetLen, or remove leases of nodes that "
                "are gone");
  }

 private:
  const PodNetwork& network_;
  const std::vector<Prefix>& routed_elsewhere_;
  std::vector<Prefix> leased_;
};

}  // namespace

Result<Allocation> choose_subnet(const NetConf& conf, const LeaseView& leases,
                                 const AllocationFacts& facts, const Dice& dice) {
  Allocation allocation;
  for (const auto& [key, lease] : leases.leases) {
    if (!is_own(conf, facts, lease.attributes)) continue;
    if (!allocation.own && fits(conf, key)) {
      allocation.own = lease;
      allocation.key = key;
    } else if (!fits(conf, key)) {
      allocation.stale.push_back(lease);
    }
  }
  if (allocation.own) return allocation;

  std::map<Family, FreeSubnets> free;
  for (const auto& [family, network] : conf.networks)
    free.emplace(family, FreeSubnets(network, family, leases, facts.routed_elsewhere));
  const auto previous_is_free = [&] {
    if (!facts.previous || !fits(conf, *facts.previous)) return false;
    for (const auto& [family, subnets] : free)
      if (subnets.leased(*facts.previous->subnet(family))) return false;
    return true;
  };
  if (previous_is_free()) {
    allocation.key = *facts.previous;
    return allocation;
  }
  for (const auto& [family, subnets] : free) {
    ASSIGN_OR_RETURN(allocation.key.subnet(family), subnets.pick(dice));
  }
  return allocation;
}

const Lease* find_overlapping(const LeaseView& leases, const LeaseKey& key) {
  const auto overlap = [&](Family family, const LeaseKey& other) {
    const auto& ours = key.subnet(family);
    const auto& theirs = other.subnet(family);
    return ours && theirs && ours->overlaps(*theirs);
  };
  for (const auto& [other, lease] : leases.leases)
    if (other != key && (overlap(Family::kIpv4, other) || overlap(Family::kIpv6, other)))
      return &lease;
  return nullptr;
}

}  // namespace weft::overlay
