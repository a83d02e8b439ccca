// interface_plan.h: what a container's device should have, out of a result. Pure.
//
// Source: containernetworking/plugins pkg/ipam (ConfigureIface) and the sysctls that the main
// plugins set before it. Beyond them: mtu and advmss of a route are honoured, and a route that
// stands twice in the result (from IPAM and from isDefaultGateway) is made once.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cni/result.h"
#include "net/route.h"

namespace weft::cni {

struct InterfaceOptions {
  bool detect_duplicates = false;  ///< IPv6 duplicate address detection, which takes seconds
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
  std::vector<Route> routes = {};  ///< the device of their hop is still open
  bool wait_for_dad = false;       ///< until the IPv6 addresses are no longer tentative
  bool operator==(const InterfacePlan&) const = default;
};

/// Fails when an address belongs to another interface of the result than `ifname`. Addresses
/// that belong to none are passed over.
CniResult<InterfacePlan> plan_interface(const AddResult& result, const std::string& ifname,
                                        const InterfaceOptions& options);

}  // namespace weft::cni
