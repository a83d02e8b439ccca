// packet_socket.h: IPv4 packets of one Ethernet device, below the host's own IP (man 7 packet):
// for DHCP, which speaks before there is an address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "net/address.h"
#include "net/link.h"

namespace weft::kernel {

class PacketSocket {
 public:
  /// In the calling thread's namespace, not blocking. Only UDP packets for `port` arrive.
  static Result<PacketSocket> open(LinkIndex link, std::uint16_t port);

  int fd() const { return fd_.get(); }

  Status send(std::string_view packet, const MacAddress& to);

  struct Received {
    std::string packet = {};
    MacAddress from = {};
    bool checksum_is_open = false;  ///< the sender's device was to fill in the UDP checksum
  };
  /// The next packet; nothing when none is there.
  std::optional<Received> receive();

 private:
  PacketSocket(Fd fd, LinkIndex link) : fd_(std::move(fd)), link_(link) {}

  Fd fd_;
  LinkIndex link_;
};

}  // namespace weft::kernel
