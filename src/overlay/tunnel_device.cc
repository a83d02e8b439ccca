#include "overlay/device_address.h"

namespace weft::overlay {

AddressEdits diff_address(const InterfaceAddress& desired, const Prefix& network,
                          const std::vector<LinkAddress>& actual) {
  AddressEdits edits;
  edits.add = true;
  for (const auto& found : actual) {
    const InterfaceAddress& address = found.key.address;
    if (address == desired)
      edits.add = false;
    else if (network.contains(address.address))
      edits.remove.push_back(address);
  }
  return edits;
}

}  // namespace weft::overlay
