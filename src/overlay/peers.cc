#include "overlay/peers.h"

#include <utility>

namespace weft::overlay {
namespace {

bool is_unicast(const IpAddress& address) {
  // 240.0.0.0/4 is reserved (RFC 1112), and its last address is the limited broadcast.
  const bool reserved = address.is_v4() && address.v4_number() >= 0xf0000000U;
  return !address.is_unspecified() && !address.is_loopback() && !address.is_multicast() &&
         !reserved;
}

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
  if (!is_unicast(*public_address))
    return fail("its public address " + public_address->to_string() + " is that of no node");
  Peer peer{.subnet = from.subnet, .public_address = *public_address};
  if (rules.read_data) RETURN_IF_ERROR(rules.read_data(from.attributes.data(family), peer));
  return peer;
}

// One family of the peers, while they are gathered.
class Gathering {
 public:
  Gathering(const PeerRules& rules, const Prefix& network, const Lease& own, Peers& peers)
      : rules_(rules), network_(network), own_(own), peers_(peers) {
    if (const auto& address = own.attributes.public_address(family())) holders_[*address] = &own;
  }

  // In order of the keys.
  void read(const Lease& lease) {
    const auto& subnet = lease.key.subnet(family());
    if (!subnet) return;
    auto peer = read_peer(rules_, {*subnet, lease.attributes}, network_);
    if (!peer) return refuse(lease, peer.error().what);
    if (const std::string reason = claims_ours(*peer); !reason.empty())
      return refuse(lease, reason);
    if (!peer->vtep_mac.is_zero()) {
      // A Node that copies another's MAC is made after it, whatever subnet it has.
      const Lease*& owner = macs_.emplace(peer->vtep_mac, &lease).first->second;
      if (lease.since < owner->since) owner = &lease;
    }
    claims_.emplace_back(&lease, *std::move(peer));
  }

  // When all are read.
  void settle() {
    for (auto& [lease, peer] : claims_) {
      const std::string reason = collision(*lease, peer);
      if (!reason.empty()) {
        refuse(*lease, reason);
        continue;
      }
      const auto [holder, is_new] = holders_.emplace(peer.public_address, lease);
      if (!is_new)
        peers_.refused.push_back(lease->describe() + ": it publishes the address " +
                                 peer.public_address.to_string() + ", as does " +
                                 holder->second->describe());
      last_ = lease;
      peers_.of[family()].push_back(std::move(peer));
    }
  }

 private:
  Family family() const { return network_.family(); }

  void refuse(const Lease& lease, const std::string& reason) {
    peers_.refused.push_back(lease.describe() + ": not programmed: " + reason);
  }

  // What this node has itself.
  std::string claims_ours(const Peer& peer) const {
    const auto& own_subnet = own_.key.subnet(family());
    if (own_subnet && own_subnet->overlaps(peer.subnet))
      return "it overlaps this node's own subnet " + own_subnet->to_string();
    if (rules_.is_gateway && own_.attributes.public_address(family()) == peer.public_address)
      return "it publishes this node's own address " + peer.public_address.to_string();
    return {};
  }

  // What the kernel can hold only once, and another node has.
  std::string collision(const Lease& lease, const Peer& peer) const {
    const auto& accepted = peers_.of[family()];
    if (!accepted.empty() && accepted.back().subnet.overlaps(peer.subnet))
      return "it overlaps the " + last_->describe();
    if (const auto owner = macs_.find(peer.vtep_mac);
        owner != macs_.end() && owner->second != &lease)
      return "it has the VTEP MAC " + peer.vtep_mac.to_string() + " of " +
             owner->second->describe();
    return {};
  }

  const PeerRules& rules_;
  const Prefix& network_;
  const Lease& own_;
  Peers& peers_;
  const Lease* last_ = nullptr;
  std::vector<std::pair<const Lease*, Peer>> claims_;
  std::map<IpAddress, const Lease*> holders_;
  std::map<MacAddress, const Lease*> macs_;
};

}  // namespace

Peers find_peers(const std::map<Family, PodNetwork>& networks, const PeerRules& rules,
                 const LeaseView& leases, const Lease& own) {
  Peers peers;
  for (const auto& broken : leases.broken)
    peers.refused.push_back(broken.key + ": not a lease: " + broken.reason);
  for (const auto& [family, network] : networks) {
    peers.of[family];
    Gathering gathering(rules, network.network, own, peers);
    for (const auto& [key, lease] : leases.leases) {
      const auto& type = lease.attributes.backend_type;
      const bool is_own = key == own.key && lease.node == own.node;
      if (!is_own && type == rules.backend_type.value_or(type)) gathering.read(lease);
    }
    gathering.settle();
  }
  return peers;
}

}  // namespace weft::overlay
