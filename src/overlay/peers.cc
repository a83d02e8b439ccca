#include "overlay/peers.h"

namespace weft::overlay {
namespace {

// One family of a lease's node.
struct Half {
  const Prefix& subnet;
  const LeaseAttributes& attributes;
};

Result<Peer> read_peer(const PeerRules& rules, const Half& from, const Prefix& network) {
  const Family family = from.subnet.family();
  if (!network.contains(from.subnet)) return fail("it lies outside " + network.to_string());
  const auto& public_address = from.attributes.public_address(family);
  if (!public_address)
    return fail("it names no public " + std::string(to_string(family)) + " address");
  Peer peer{.subnet = from.subnet, .public_address = *public_address};
  if (rules.read_data) RETURN_IF_ERROR(rules.read_data(from.attributes.data(family), peer));
  return peer;
}

void add_family(const PeerRules& rules, const LeaseView& leases, const LeaseKey& own,
                const Prefix& network, Peers& peers) {
  const Family family = network.family();
  auto& accepted = peers.of[family];
  const auto& own_subnet = own.subnet(family);
  for (const auto& [key, lease] : leases.leases) {
    const auto& type = lease.attributes.backend_type;
    if (key == own || type != rules.backend_type.value_or(type)) continue;
    const auto& subnet = key.subnet(family);
    if (!subnet) continue;
    const auto refuse = [&peers, &shown = key](const std::string& reason) {
      peers.refused.push_back("lease " + shown.describe() + ": not programmed: " + reason);
    };
    if (own_subnet && own_subnet->overlaps(*subnet)) {
      refuse("it overlaps this node's own subnet " + own_subnet->to_string());
    } else if (!accepted.empty() && accepted.back().subnet.overlaps(*subnet)) {
      refuse("it overlaps the lease " + accepted.back().subnet.to_string());
    } else if (auto peer = read_peer(rules, {*subnet, lease.attributes}, network)) {
      accepted.push_back(*std::move(peer));
    } else {
      refuse(peer.error().what);
    }
  }
}

}  // namespace

Peers find_peers(const std::map<Family, PodNetwork>& networks, const PeerRules& rules,
                 const LeaseView& leases, const LeaseKey& own) {
  Peers peers;
  for (const auto& [family, network] : networks)
    add_family(rules, leases, own, network.network, peers);
  return peers;
}

}  // namespace weft::overlay
