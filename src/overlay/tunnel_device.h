// device_address.h: the one address that a tunnel's device has of the pod network.
#pragma once

#include <vector>

#include "net/address.h"
#include "net/link_address.h"

namespace weft::overlay {

struct AddressEdits {
  bool add = false;                      ///< the wanted address is missing
  std::vector<InterfaceAddress> remove;  ///< others of the pod network: a former subnet's

  bool operator==(const AddressEdits&) const = default;
};

/// `actual` are the device's own addresses; those outside `network` stay.
AddressEdits diff_address(const InterfaceAddress& desired, const Prefix& network,
                          const std::vector<LinkAddress>& actual);

}  // namespace weft::overlay
