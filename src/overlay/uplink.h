// uplink.h: the devices and the addresses through which a node meets its peers.
//
// Pure: a decision over what the kernel holds (flannel's LookupExtIface, ipmatch/match.go). Each
// family is decided for itself; flannel ends where the two are not on one device.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/pattern.h"
#include "base/result.h"
#include "net/link.h"
#include "net/link_address.h"
#include "net/route.h"

namespace weft::overlay {

/// What the operator says about the choice. The first of these that names something that is there
/// decides.
struct UplinkOptions {
  std::vector<std::string> interfaces = {};  ///< --iface: names or addresses
  std::vector<Pattern> patterns = {};        ///< --iface-regex: of addresses, else of names
  std::optional<IpAddress> can_reach = {};   ///< --iface-can-reach; not beside the two above
  /// --public-ip, --public-ipv6: what peers are told. One that this node has chooses, too; one
  /// that it has not is that of a NAT in front of it.
  std::map<Family, IpAddress> public_addresses = {};
  std::vector<IpAddress> node_addresses = {};  ///< by which the cluster knows this node
};

/// What the kernel says.
struct NodeNetwork {
  std::vector<Link> links = {};
  std::vector<LinkAddress> addresses = {};
  std::map<Family, std::vector<Route>> routes = {};  ///< the main tables
  std::optional<Route> reaching = {};                ///< the way to UplinkOptions::can_reach
};

struct Uplink {
  std::map<Family, Link> links = {};
  std::map<Family, IpAddress> local = {};             ///< on the device: the tunnels' source
  std::map<Family, IpAddress> public_addresses = {};  ///< what peers are told
  std::map<Family, std::string> reasons = {};         ///< why this one: for the log

  const Link& link(Family family) const { return links.at(family); }
  /// Of all families: what fits through each of them.
  std::uint32_t mtu() const;
  bool has_link(const std::string& name) const;
};

/// An endpoint for each of `families`. Where nothing that was said holds for a family, it takes
/// its own default route's device, or the other family's: first the latter when that was named.
Result<Uplink> choose_uplink(const UplinkOptions& options, const NodeNetwork& network,
                             const std::vector<Family>& families);

/// The uplink with its devices as they are now: found again by name, since a device that was made
/// anew has another number. An address that was chosen stays while it is there, whatever others
/// come beside it.
Result<Uplink> refresh_uplink(const Uplink& chosen, const UplinkOptions& options,
                              const NodeNetwork& network);

/// "IPv4 192.0.2.1 on eth0 (it has the IPv4 default route), told to peers as 203.0.113.9".
std::string describe(const Uplink& uplink);

}  // namespace weft::overlay
