// device_plan.h: the one device that a plugin wants inside the container. Pure.
//
// macvlan, ipvlan, vlan, dummy, tap and others differ in the device and in little else: each says
// here what it wants, and device_plugin.h makes, checks and removes it.
#pragma once

#include <optional>
#include <string>

#include "cni/interface_plan.h"
#include "cni/plugin.h"
#include "net/link.h"

namespace weft::cni {

struct DevicePlan {
  /// Kind, and the options of that kind. Name and numbers are the call's and the kernel's.
  Link device = {};
  std::int64_t mtu = 0;                ///< 0: the kernel's choice
  std::optional<MacAddress> mac = {};  ///< as asked for
  bool has_mac_of_its_own = false;     ///< so that it gets a random one when none is asked for

  /// The device below it.
  struct Parent {
    std::string name = {};  ///< empty: the device of the default route
    bool in_container = false;
  };
  std::optional<Parent> parent = {};
  std::string bridge = {};  ///< in the container: the device is a port of it; empty: of none

  std::string ipam_type = {};
  bool needs_addresses = false;         ///< refused without IPAM; else it is a layer 2 device
  std::optional<AddResult> given = {};  ///< addresses from an earlier plugin, instead of IPAM's
  std::optional<Dns> dns = {};          ///< of the result; nothing: that of IPAM
  InterfaceOptions interface = {};
};

/// The members `master` and `linkInContainer`.
DevicePlan::Parent read_parent(ObjectReader& config);

/// Refuses an MTU that the device below cannot carry. `parent` is nullptr where there is none.
CniStatus check_mtu(const DevicePlan& plan, const Link* parent);

/// The device of the default route, IPv4's first: what a plugin without `master` takes.
std::optional<LinkIndex> default_route_link(const std::vector<Route>& ipv4,
                                            const std::vector<Route>& ipv6);

/// Whether a device is of the kind, and has the options, that the plan asks for.
CniStatus compare_device(const DevicePlan& plan, const Link& present);

}  // namespace weft::cni
