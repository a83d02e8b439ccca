// peers.h: the other nodes of the overlay, out of the store's leases.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/lease.h"
#include "net/address.h"
#include "overlay/net_conf.h"

namespace weft::overlay {

/// One family of another node: its pods, and how to reach them.
struct Peer {
  Prefix subnet;
  IpAddress public_address;
  MacAddress vtep_mac = {};  ///< of vxlan; zero otherwise
  auto operator<=>(const Peer&) const = default;
};

/// Which leases a backend takes for peers.
struct PeerRules {
  /// Leases of another type are left out; nothing: every lease is taken (flannel's udp).
  std::optional<std::string> backend_type;
  /// Reads one family's BackendData into the peer; a failure refuses the peer. May be empty.
  std::function<Status(const std::string& data, Peer& peer)> read_data;
  /// The public address becomes a route's gateway: the kernel takes none that is its own.
  bool is_gateway = false;
};

struct Peers {
  std::map<Family, std::vector<Peer>> of;  ///< in order of their subnets
  /// What is wrong with the others' leases, one line each: those that are not programmed, and
  /// those that publish the same address.
  std::vector<std::string> refused;
};

/// The peers among `leases`, in the families of `networks`. Left out without a word: the own
/// lease, leases of nodes that run another backend. Refused with a reason: what the store could
/// not read as a lease, data that cannot be read, a subnet outside the network, of two leases that
/// overlap the one that comes later by its key, and of those that have one VTEP MAC all but that of
/// the oldest node: neither is ever programmed over the other. Two that publish one public address
/// are both named and both programmed: only one of them can be right, but a packet that comes to
/// the wrong one is dropped there.
Peers find_peers(const std::map<Family, PodNetwork>& networks, const PeerRules& rules,
                 const LeaseView& leases, const Lease& own);

}  // namespace weft::overlay
