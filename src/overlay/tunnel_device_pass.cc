#include "overlay/tunnel_device_pass.h"

#include <cerrno>

namespace weft::overlay {

Status settle_tunnel_device(const Link& link, const TunnelDevice& desired, const Prefix& network,
                            kernel::Rtnetlink& rtnetlink, PassReport& report) {
  ASSIGN_OR_RETURN(const auto addresses, rtnetlink.addresses(link.index));
  const TunnelDeviceEdits edits = diff_tunnel_device(desired, network, link, addresses);
  if (edits.set_mtu || edits.set_up)
    RETURN_IF_ERROR(rtnetlink.change(
        link.index,
        {.mtu = edits.set_mtu, .up = edits.set_up ? std::optional(true) : std::nullopt}));
  const std::string object = "link " + link.name;
  if (edits.set_mtu)
    report.edit("links", object, "with MTU " + std::to_string(link.mtu),
                "set to " + std::to_string(desired.mtu));
  if (edits.set_up) report.edit("links", object, "down", "set up");
  for (const auto& address : edits.remove_addresses) {
    RETURN_IF_ERROR(kernel::ignore_errno(
        rtnetlink.remove(LinkAddressKey{.link = link.index, .address = address}), EADDRNOTAVAIL));
    report.edit("addresses", "address " + address.to_string(), "stale", "removed");
  }
  if (edits.add_address) {
    RETURN_IF_ERROR(kernel::ignore_errno(
        rtnetlink.add({.key = {.link = link.index, .address = desired.address}}), EEXIST));
    report.edit("addresses", "address " + desired.address.to_string(), "missing", "put");
  }
  return {};
}

}  // namespace weft::overlay
