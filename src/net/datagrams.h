// datagrams.h: UDP datagrams in bulk, as the kernel takes and gives them.
#pragma once

#include <sys/uio.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weft {

/// An IPv4 address and a UDP port, both in host order.
struct UdpAddress {
  std::uint32_t address = 0;
  std::uint16_t port = 0;
  auto operator<=>(const UdpAddress&) const = default;
};

/// Datagrams to one receiver, all of one size but for the last, which may be shorter: what one
/// send with UDP_SEGMENT takes. On the wire they are ordinary datagrams, one after the other.
struct Datagrams {
  UdpAddress to = {};
  std::span<iovec> slices = {};     ///< their bytes in order; whoever made them keeps them alive
  std::uint16_t datagram_size = 0;  ///< of each but the last
  std::uint16_t count = 0;
  std::uint32_t bytes = 0;  ///< of all
};

/// Datagrams from one sender that arrived in one buffer: what one receive with UDP_GRO gives.
struct ReceivedDatagrams {
  UdpAddress from = {};
  std::span<std::uint8_t> bytes = {};
  std::uint16_t datagram_size = 0;  ///< of each but the last
};

}  // namespace weft
