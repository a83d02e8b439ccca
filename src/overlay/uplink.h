// uplink.h: the device and the addresses through which a node meets its peers.
//
// Pure: a decision over what the kernel holds (flannel's LookupExtIface, ipmatch/match.go).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/link.h"
#include "net/link_address.h"
#include "net/route.h"

namespace weft::overlay {

/// What the command line says about the choice.
struct UplinkOptions {
  std::vector<std::string> interfaces;           ///< --iface: names or addresses, first match wins
  std::map<Family, IpAddress> public_addresses;  ///< --public-ip, --public-ipv6
};

/// What the kernel says.
struct NodeNetwork {
  std::vector<Link> links;
  std::vector<LinkAddress> addresses;
  std::map<Family, std::vector<Route>> routes;  ///< the main tables
};

struct Uplink {
  Link link;
  std::map<Family, IpAddress> local;             ///< on the device: the tunnels' source
  std::map<Family, IpAddress> public_addresses;  ///< what peers are told
  std::string reason;                            ///< why this one: for the log
};

/// The uplink with an address of each of `families`. In this order: a device or address that
/// was named; the device that carries the public address; the device of the default route.
Result<Uplink> choose_uplink(const UplinkOptions& options, const NodeNetwork& network,
                             const std::vector<Family>& families);

}  // namespace weft::overlay
