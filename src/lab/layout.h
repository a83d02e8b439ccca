// layout.h: the namespaces, cables, addresses and routes below the pod network. Pure.
//
//     node1 ─┐                         A segment is a wire that nodes stand on: a
//     node2 ─┼─ seg0 ─ gw0 ┐           bridge in the namespace "underlay". The "router" has one
//            (underlay)    ├─ router   leg in each with the nodes' gateway addresses, and a link
//     node3 ─── seg1 ─ gw1 ┘    │wan   to the "outside" host. The outside host knows the way to
//                               │      the segments and to nothing else: a packet that leaves
//                            outside   the pod network without masquerade gets no answer.
//
// An outside address that lies in a segment's network is a host of that LAN: the outside host
// gets a leg of its own there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/model.h"

namespace weft::lab {

/// One end of a cable: a device in a namespace, named without the lab's prefix.
struct CableEnd {
  std::string space = {};
  std::string device = {};
  std::string bridge = {};  ///< the bridge of that namespace it is a port of; may be empty
  std::vector<InterfaceAddress> addresses = {};
  auto operator<=>(const CableEnd&) const = default;
};

struct Cable {
  CableEnd a = {};
  CableEnd b = {};
  auto operator<=>(const Cable&) const = default;
};

struct Bridge {
  std::string space = {};
  std::string name = {};
  auto operator<=>(const Bridge&) const = default;
};

struct StaticRoute {
  std::string space = {};
  Prefix destination = {};
  IpAddress via = {};
  auto operator<=>(const StaticRoute&) const = default;
};

struct NamespaceSysctl {
  std::string space = {};
  std::string name = {};
  std::string value = {};
  auto operator<=>(const NamespaceSysctl&) const = default;
};

struct Layout {
  std::vector<std::string> spaces = {};
  std::vector<Bridge> bridges = {};
  std::vector<Cable> cables = {};
  std::vector<StaticRoute> routes = {};
  std::vector<NamespaceSysctl> sysctls = {};
  std::uint32_t mtu = 1500;  ///< of every device
};

Layout plan_layout(const Lab& lab);

}  // namespace weft::lab
