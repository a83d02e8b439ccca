// vrf_config.h: the configuration of the vrf plugin, and what it decides. Pure.
//
// Source: containernetworking/plugins, plugins/meta/vrf.
#pragma once

#include <string>
#include <vector>

#include "cni/plugin.h"
#include "net/link.h"
#include "net/link_address.h"
#include "net/route.h"

namespace weft::cni {

struct VrfConfig {
  std::string name = {};
  RouteTable table{0};  ///< 0: the first free one
};

CniResult<VrfConfig> read_vrf_config(const Call& call);

/// The smallest table from 1 on that no VRF among the links has.
RouteTable free_vrf_table(const std::vector<Link>& links);

/// The global IPv6 addresses of `before` that are not in `after`: the kernel drops them when the
/// device changes its master.
std::vector<LinkAddress> lost_addresses(const std::vector<LinkAddress>& before,
                                        const std::vector<LinkAddress>& after);

/// The routes of a device that must move with it, in the table of the VRF, those to gateways before
/// those through them. What the kernel makes for IPv4 addresses it makes again by itself.
std::vector<Route> moved_routes(const std::vector<Route>& main, LinkIndex link, RouteTable table);

}  // namespace weft::cni
