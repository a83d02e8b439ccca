#include "overlay/tunnel_device.h"

namespace weft::overlay {

InterfaceAddress tunnel_address(const Prefix& subnet) {
  return {.address = subnet.address(), .length = address_bits(subnet.family())};
}

TunnelDeviceEdits diff_tunnel_device(const TunnelDevice& desired, const Prefix& network,
                                     const Link& actual,
                                     const std::vector<LinkAddress>& addresses) {
  TunnelDeviceEdits edits{.set_up = !actual.up, .add_address = true};
  if (actual.mtu != desired.mtu) edits.set_mtu = desired.mtu;
  for (const auto& found : addresses) {
    const InterfaceAddress& address = found.key.address;
    if (address == desired.address)
      edits.add_address = false;
    else if (network.contains(address.address))
      edits.remove_addresses.push_back(address);
  }
  return edits;
}

}  // namespace weft::overlay
