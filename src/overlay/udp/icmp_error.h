// icmp_error.h: what a sender is told about a packet that goes no further (RFC 792, RFC 1812).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "overlay/udp/ipv4_packet.h"

namespace weft::overlay::udp {

enum class IcmpReason { kNetUnreachable, kTooBig, kTtlExceeded };

/// An ICMP message without its IP header, for a raw socket.
struct IcmpError {
  /// RFC 1812, section 4.3.2.3: as much of the packet as fits 576 bytes.
  static constexpr std::size_t kMostQuoted = 576 - 20 - 8;

  std::uint32_t to = 0;  ///< host order
  std::size_t size = 0;
  std::array<std::uint8_t, 8 + kMostQuoted> message;
};

/// The message about `packet`, or nothing where none may be sent (RFC 1812, section 4.3.2.7):
/// about an ICMP error, a later fragment, from or to what is no single host. `mtu` goes with
/// kTooBig only (RFC 1191).
std::optional<IcmpError> icmp_error(IcmpReason reason, const Ipv4Packet& packet,
                                    std::uint16_t mtu = 0);

}  // namespace weft::overlay::udp
