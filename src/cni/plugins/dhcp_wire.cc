#include "cni/plugins/dhcp_wire.h"

#include "kernel/rtnetlink.h"

namespace weft::cni {
namespace {

constexpr std::uint16_t kClientPort = 68;

// Stands in the namespace while `use` runs with its socket and the interface.
template <class Use>
auto inside(const std::string& path, const std::string& ifname, Use use)
    -> decltype(use(std::declval<kernel::Rtnetlink&>(), std::declval<const Link&>())) {
  ASSIGN_OR_RETURN(const auto netns, kernel::Netns::open(path));
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(netns));
  ASSIGN_OR_RETURN(auto rtnetlink, kernel::Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto link, rtnetlink.link(ifname));
  if (!link) return fail_errno("error looking up \"" + ifname + "\"", ENODEV);
  return use(rtnetlink, *link);
}

}  // namespace

Result<DhcpWire> DhcpWire::open(const std::string& netns, const std::string& ifname) {
  return inside(
      netns, ifname, [](kernel::Rtnetlink& rtnetlink, const Link& link) -> Result<DhcpWire> {
        if (!link.up) RETURN_IF_ERROR(rtnetlink.change(link.index, {.up = true}));
        ASSIGN_OR_RETURN(auto socket, kernel::PacketSocket::open(link.index, kClientPort));
        return DhcpWire(std::move(socket), link.mac);
      });
}

Status DhcpWire::send(const DhcpPacket& packet, const DhcpEndpoints& ends, const MacAddress& to) {
  return socket_.send(enclose(encode(packet), ends), to);
}

std::optional<DhcpWire::Received> DhcpWire::receive() {
  while (const auto received = socket_.receive()) {
    const auto message = disclose(received->packet, received->checksum_is_open);
    if (!message) continue;
    if (auto packet = decode_dhcp(*message))
      return Received{.packet = *std::move(packet), .from = received->from};
  }
  return std::nullopt;
}

Status set_interface_down(const std::string& netns, const std::string& ifname) {
  return inside(netns, ifname, [](kernel::Rtnetlink& rtnetlink, const Link& link) {
    return rtnetlink.change(link.index, {.up = false});
  });
}

}  // namespace weft::cni
