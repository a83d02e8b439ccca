// interface_plan.h: what a container's device should have, out of a result. Pure.
//
// Source: containernetworking/plugins pkg/ipam (ConfigureIface) and the sysctls that the main
// plugins set before it. Beyond them: mtu and advmss of a route are honoured, and a route that
// stands twice in the result (from IPAM and from isDefaultGateway) is made once.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cni/result.h"
#include "net/route.h"

namespace weft::cni {

struct InterfaceOptions {
  /// IPv6 duplicate address detection, which takes seconds: asked for, or switched off; nothing
  /// leaves the device's setting alone. Addresses of a result wait for it when it is asked for.
  std::optional<bool> detect_duplicates = {};
  bool arp_notify = false;    ///< tells neighbours of the IPv4 addresses when the device comes up
  bool ndisc_notify = false;  ///< the same for IPv6
  /// Everything goes through the gateways, also to neighbours: a link with one other end.
  bool through_gateways = false;
};

struct InterfacePlan {
  /// "net/ipv6/conf/eth0/accept_dad" and its value, in order. A setting that the kernel does
  /// not have, or that cannot be written, is passed over unless it is needed.
  struct Setting {
    std::string name;
    std::string value;
    bool needed = false;
    bool operator==(const Setting&) const = default;
  };
  std::vector<Setting> settings = {};
  std::vector<InterfaceAddress> addresses = {};
  bool prefix_routes = true;       ///< the kernel makes a route to each address's network
  std::vector<Route> routes = {};  ///< the device of their hop is still open
  bool wait_for_dad = false;       ///< until the IPv6 addresses are no longer tentative
  bool arp_notify = false;
  bool operator==(const InterfacePlan&) const = default;
};

/// Fails when an address belongs to another interface of the result than `ifname`, and when a
/// gateway is needed and missing. Addresses that belong to none are passed over.
CniResult<InterfacePlan> plan_interface(const AddResult& result, const std::string& ifname,
                                        const InterfaceOptions& options);

}  // namespace weft::cni
