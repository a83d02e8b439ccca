// ipv4_packet.h: an IPv4 packet in memory (RFC 791), its header known to be sound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace weft::overlay::udp {

using Bytes = std::span<std::uint8_t>;

/// Numbers in network order, at any alignment.
inline std::uint16_t load16(const std::uint8_t* from) {
  return static_cast<std::uint16_t>(from[0] << 8U | from[1]);
}
inline std::uint32_t load32(const std::uint8_t* from) {
  return std::uint32_t{load16(from)} << 16U | load16(from + 2);
}
inline void store16(std::uint8_t* to, std::uint16_t value) {
  to[0] = static_cast<std::uint8_t>(value >> 8U);
  to[1] = static_cast<std::uint8_t>(value);
}
inline void store32(std::uint8_t* to, std::uint32_t value) {
  store16(to, static_cast<std::uint16_t>(value >> 16U));
  store16(to + 2, static_cast<std::uint16_t>(value));
}
/// Puts a checksum, which is in memory order already.
inline void store_checksum(std::uint8_t* to, std::uint16_t checksum) {
  std::memcpy(to, &checksum, sizeof checksum);
}

/// A view: the bytes belong to somebody else.
class Ipv4Packet {
 public:
  static constexpr std::uint8_t kIcmp = 1;
  static constexpr std::uint8_t kTcp = 6;
  static constexpr std::uint8_t kUdp = 17;
  static constexpr std::size_t kSmallestHeader = 20;

  /// Nothing unless the bytes are exactly one packet: version 4, a header of at least 20 bytes
  /// that lies inside, with a right checksum, and a total length that is that of the bytes.
  static std::optional<Ipv4Packet> parse(Bytes bytes);

  Bytes bytes() const { return bytes_; }
  Bytes header() const { return bytes_.first(header_size()); }
  Bytes payload() const { return bytes_.subspan(header_size()); }
  std::size_t header_size() const { return std::size_t{bytes_[0] & 0xfU} * 4; }
  std::uint16_t id() const { return load16(&bytes_[4]); }
  bool dont_fragment() const { return (bytes_[6] & 0x40U) != 0; }
  /// Any piece of a fragmented packet, the first one too.
  bool is_fragment() const { return (load16(&bytes_[6]) & 0x3fffU) != 0; }
  bool is_later_fragment() const { return (load16(&bytes_[6]) & 0x1fffU) != 0; }
  std::uint8_t ttl() const { return bytes_[8]; }
  std::uint8_t protocol() const { return bytes_[9]; }
  std::uint32_t source() const { return load32(&bytes_[12]); }
  std::uint32_t destination() const { return load32(&bytes_[16]); }

  /// One less, and the header's checksum with it (RFC 1624). REQUIRES ttl() > 0.
  void decrement_ttl();

 private:
  explicit Ipv4Packet(Bytes bytes) : bytes_(bytes) {}
  Bytes bytes_;
};

/// Writes the checksum of an IPv4 header.
void checksum_ipv4_header(Bytes header);

/// The sum of the pseudo-header of TCP and UDP (RFC 9293, section 3.1): `header` is the IPv4
/// header, `size` the bytes of transport header and payload.
std::uint64_t pseudo_header_sum(std::span<const std::uint8_t> header, std::size_t size);

/// Whether the transport checksum of a TCP or UDP packet is right.
bool transport_checksum_holds(const Ipv4Packet& packet);

}  // namespace weft::overlay::udp
