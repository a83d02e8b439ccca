// device_plan.h: how the node's kernel should see the udp tunnel.
//
// As flannel's (pkg/backend/udp): a device with the first address of the node's subnet, and one
// route through it for the whole pod network.
#pragma once

#include <cstdint>

#include "net/address.h"
#include "net/forwarding.h"
#include "overlay/tunnel_device.h"

namespace weft::overlay::udp {

/// flannel asks for "flannel%d", and the kernel counts from 0.
constexpr const char* kDeviceName = "flannel0";

/// Bytes that the encapsulation adds: outer IPv4 20, UDP 8.
constexpr std::uint32_t kOverhead = 28;

/// The metric of the route. flannel's has none, and so goes before ours: when a node goes back to
/// flannel, whose device becomes flannel1 beside ours, its packets take its route at once.
constexpr std::uint32_t kRouteMetric = 87;

TunnelDevice plan_device(const Prefix& subnet, std::uint32_t uplink_mtu);

/// The one route.
ForwardingTables plan_route(const Prefix& network, LinkIndex device);

}  // namespace weft::overlay::udp
