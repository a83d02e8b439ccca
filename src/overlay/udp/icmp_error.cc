#include "overlay/udp/icmp_error.h"

#include <algorithm>

#include "overlay/udp/checksum.h"

namespace weft::overlay::udp {
namespace {

struct TypeAndCode {
  std::uint8_t type;
  std::uint8_t code;
};

TypeAndCode type_of(IcmpReason reason) {
  switch (reason) {
    case IcmpReason::kNetUnreachable:
      return {3, 0};
    case IcmpReason::kTooBig:
      return {3, 4};
    case IcmpReason::kTtlExceeded:
      break;
  }
  return {11, 0};
}

bool is_icmp_error(const Ipv4Packet& packet) {
  if (packet.protocol() != Ipv4Packet::kIcmp) return false;
  // Cut off before its type: who knows what it is.
  if (packet.payload().empty()) return true;
  constexpr std::array<std::uint8_t, 5> kErrors{3, 4, 5, 11, 12};
  return std::find(kErrors.begin(), kErrors.end(), packet.payload()[0]) != kErrors.end();
}

// Not 0.0.0.0/8, not loopback, not multicast, reserved or broadcast.
bool is_single_host(std::uint32_t address) {
  const std::uint32_t first = address >> 24U;
  return first != 0 && first != 127 && first < 224;
}

}  // namespace

std::optional<IcmpError> icmp_error(IcmpReason reason, const Ipv4Packet& packet,
                                    std::uint16_t mtu) {
  if (is_icmp_error(packet) || packet.is_later_fragment()) return std::nullopt;
  if (!is_single_host(packet.source()) || !is_single_host(packet.destination()))
    return std::nullopt;
  const Bytes quoted =
      packet.bytes().first(std::min(packet.bytes().size(), IcmpError::kMostQuoted));
  IcmpError error;
  error.to = packet.source();
  error.size = 8 + quoted.size();
  const TypeAndCode kind = type_of(reason);
  const Bytes message(error.message.data(), error.size);
  std::fill_n(message.begin(), 8, std::uint8_t{0});
  message[0] = kind.type;
  message[1] = kind.code;
  if (reason == IcmpReason::kTooBig) store16(&message[6], mtu);
  std::copy(quoted.begin(), quoted.end(), message.begin() + 8);
  store_checksum(&message[2], checksum_of(add_bytes(0, message)));
  return error;
}

}  // namespace weft::overlay::udp
