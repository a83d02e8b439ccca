// tunnel_device.h: what the device of any tunnel has, whatever its kind.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "net/address.h"
#include "net/link.h"
#include "net/link_address.h"

namespace weft::overlay {

struct TunnelDevice {
  std::uint32_t mtu = 0;
  InterfaceAddress address;  ///< the one that it has of the pod network
  bool operator==(const TunnelDevice&) const = default;
};

/// The first address of the node's subnet, as flannel's backends have it.
InterfaceAddress tunnel_address(const Prefix& subnet);

/// What has to be done to a device so that it is the planned one.
struct TunnelDeviceEdits {
  std::optional<std::uint32_t> set_mtu = {};
  bool set_up = false;
  bool add_address = false;
  /// Others of the pod network: a former subnet's.
  std::vector<InterfaceAddress> remove_addresses = {};

  bool operator==(const TunnelDeviceEdits&) const = default;
};

/// `addresses` are the device's own; those outside `network` stay.
TunnelDeviceEdits diff_tunnel_device(const TunnelDevice& desired, const Prefix& network,
                                     const Link& actual, const std::vector<LinkAddress>& addresses);

}  // namespace weft::overlay
