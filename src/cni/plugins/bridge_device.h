// bridge_device.h: the bridge on the host: made, given its gateway addresses, its ports set.
#pragma once

#include <string>

#include "cni/interface.h"
#include "cni/plugins/bridge_config.h"

namespace weft::cni {

/// The bridge, made if it is not there, and up. A new one gets a MAC address of its own at
/// once: otherwise it would take that of its lowest port and change it as ports come and go.
CniResult<Link> ensure_bridge(kernel::Rtnetlink& host, const BridgeConfig& config);

/// Hairpin, isolation and VLANs of a port, as far as the configuration asks for any.
CniStatus configure_port(kernel::Rtnetlink& host, LinkIndex port, const BridgeConfig& config);

/// Puts a gateway's address on a device. One that stands in its way is an error, or is replaced
/// with `force`.
CniStatus ensure_gateway_address(kernel::Rtnetlink& host, const Link& device,
                                 const InterfaceAddress& address, bool force);

/// The device that has the gateway's address when the bridge filters VLANs: one end of a pair,
/// named BRIDGE.VLAN, whose other end is a port in that VLAN.
CniResult<Link> ensure_vlan_gateway(kernel::Rtnetlink& host, const Link& bridge,
                                    const BridgeConfig& config);

/// Waits until packets pass the port, and returns it as it is then.
CniResult<Link> wait_until_up(kernel::Rtnetlink& host, LinkIndex port);

}  // namespace weft::cni
