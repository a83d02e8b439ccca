// dhcp_wire.h: the container's interface, as the dhcp daemon uses it.
//
// A socket keeps the namespace alive in which it was opened. So the daemon has one only while it
// waits for an answer, and finds the namespace by its path each time: when that is gone, the
// container is.
#pragma once

#include <optional>
#include <string>

#include "cni/plugins/dhcp_packet.h"
#include "kernel/netns.h"
#include "kernel/packet_socket.h"

namespace weft::cni {

class DhcpWire {
 public:
  /// Sets the interface up if it is down. Error::number is ENODEV when there is none.
  static Result<DhcpWire> open(const std::string& netns, const std::string& ifname);

  int fd() const { return socket_.fd(); }
  const MacAddress& mac() const { return mac_; }

  Status send(const DhcpPacket& packet, const DhcpEndpoints& ends, const MacAddress& to);
  struct Received {
    DhcpPacket packet = {};
    MacAddress from = {};
  };
  /// The next DHCP message; nothing when none is there.
  std::optional<Received> receive();

 private:
  DhcpWire(kernel::PacketSocket socket, const MacAddress& mac)
      : socket_(std::move(socket)), mac_(mac) {}

  kernel::PacketSocket socket_;
  MacAddress mac_;
};

/// What must not be used any more.
Status set_interface_down(const std::string& netns, const std::string& ifname);

}  // namespace weft::cni
