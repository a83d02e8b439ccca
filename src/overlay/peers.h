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
};

struct Peers {
  std::map<Family, std::vector<Peer>> of;  ///< in order of their subnets
  /// Leases that are not programmed, and why: one line each.
  std::vector<std::string> refused;
};

/// The peers among `leases`, in the families of `networks`. Left out without a word: the own
/// lease, leases of nodes that run another backend. Refused with a reason: data that cannot be
/// read, a subnet outside the network, and two leases that overlap, of which the one with the
/// older key order stays.
Peers find_peers(const std::map<Family, PodNetwork>& networks, const PeerRules& rules,
                 const LeaseView& leases, const LeaseKey& own);

}  // namespace weft::overlay
