// peers.h: the other nodes of the overlay, out of the store's leases.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/lease.h"
#include "net/address.h"
#include "net/link.h"
#include "overlay/net_conf.h"

namespace weft::overlay {

/// BackendData of a vxlan lease: {"VNI":1,"VtepMAC":"aa:bb:cc:dd:ee:ff"}.
struct VtepData {
  Vni vni{1};
  MacAddress mac;

  static Result<VtepData> parse(std::string_view json);
  std::string to_json() const;
  auto operator<=>(const VtepData&) const = default;
};

/// One family of another node: its pods, and how to reach them.
struct Peer {
  Prefix subnet;
  IpAddress public_address;
  MacAddress vtep_mac;  ///< of vxlan; zero otherwise
  auto operator<=>(const Peer&) const = default;
};

struct Peers {
  std::map<Family, std::vector<Peer>> of;  ///< in order of their subnets
  /// Leases that are not programmed, and why: one line each.
  std::vector<std::string> refused;
};

/// The peers among `leases`, in the families that the configuration enables. Left out without a
/// word: the own lease, reservations of nodes that run another backend. Refused with a reason:
/// data that cannot be read, a subnet outside the network, and two leases that overlap, of
/// which the one with the older key order stays.
Peers find_peers(const NetConf& conf, const LeaseView& leases, const LeaseKey& own);

}  // namespace weft::overlay
