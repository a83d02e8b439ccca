// lease.h: a node's subnet lease, as flannel's stores hold it.
//
// The key is the subnet, the value says how to reach the node that holds it. Both texts are
// byte-compatible with flannel's etcd layout (pkg/lease, pkg/subnet): a cluster of flannel and
// weft nodes reads and writes the same keys.
#pragma once

#include <chrono>
#include <compare>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/unix_time.h"
#include "net/address.h"

namespace weft {

/// The subnets of one lease: IPv4, IPv6, or one of each.
struct LeaseKey {
  std::optional<Prefix> ipv4 = {};
  std::optional<Prefix> ipv6 = {};

  /// "10.5.52.0-24", or "10.12.13.0-24&fd00:12:13::-56". flannel's form has an IPv4 part always;
  /// one of "0.0.0.0-0" stands for none.
  static std::optional<LeaseKey> parse(std::string_view text);
  /// The same form: what parse() gives for it is equal to *this.
  std::string to_string() const;
  const std::optional<Prefix>& subnet(Family family) const {
    return family == Family::kIpv4 ? ipv4 : ipv6;
  }
  std::optional<Prefix>& subnet(Family family) { return family == Family::kIpv4 ? ipv4 : ipv6; }
  /// For people: "10.5.52.0/24" or "10.5.52.0/24 and fd00:12:13::/56".
  std::string describe() const;

  auto operator<=>(const LeaseKey&) const = default;
};

/// What a node publishes about itself: the value under its key.
struct LeaseAttributes {
  std::optional<IpAddress> public_ipv4 = {};
  std::optional<IpAddress> public_ipv6 = {};
  std::string backend_type = {};     ///< "vxlan", "host-gw", ...; may be empty (udp)
  std::string backend_data = {};     ///< JSON text, or empty: absent or null
  std::string backend_v6_data = {};  ///< JSON text, or empty

  /// Reads a value. Unknown members are ignored; a missing or malformed address is refused.
  static Result<LeaseAttributes> parse(std::string_view json);
  static Result<LeaseAttributes> read(const Json& value);
  const std::optional<IpAddress>& public_address(Family family) const {
    return family == Family::kIpv4 ? public_ipv4 : public_ipv6;
  }
  std::optional<IpAddress>& public_address(Family family) {
    return family == Family::kIpv4 ? public_ipv4 : public_ipv6;
  }
  const std::string& data(Family family) const {
    return family == Family::kIpv4 ? backend_data : backend_v6_data;
  }
  std::string& data(Family family) {
    return family == Family::kIpv4 ? backend_data : backend_v6_data;
  }
  /// flannel's bytes: PublicIP and PublicIPv6 always, the others when not empty.
  std::string to_json() const;

  auto operator<=>(const LeaseAttributes&) const = default;
};

struct Lease {
  /// Whose it is, where the store knows: the name of the Node. Empty otherwise.
  std::string node = {};
  /// When that Node was made: what two nodes claim belongs to the older. Zero where the store does
  /// not know.
  UnixSeconds since = {};
  LeaseKey key = {};
  LeaseAttributes attributes = {};
  /// Stays until somebody removes it, and is kept so when it is rewritten.
  bool reserved = false;
  /// When the store forgets the lease; nothing for a reservation, and nothing where the store
  /// would have to be asked for each lease singly (LeaseStore::expiry).
  std::optional<UnixSeconds> expiry = {};
  /// Grows with every change of this lease; what a later change is conditional on.
  std::int64_t version = 0;

  /// For people: "lease 10.5.52.0/24", "node worker-3 (10.5.52.0/24)".
  std::string describe() const;
  auto operator<=>(const Lease&) const = default;
};

/// An entry of the store that is no lease: skipped, and named to the operator.
struct BrokenLease {
  std::string key = {};  ///< the key, or the name of the Node
  std::string reason = {};
  auto operator<=>(const BrokenLease&) const = default;
};

/// All leases of the cluster as of one moment: complete, or not there at all.
struct LeaseView {
  std::map<LeaseKey, Lease> leases = {};
  std::vector<BrokenLease> broken = {};
  bool operator==(const LeaseView&) const = default;
};

}  // namespace weft
