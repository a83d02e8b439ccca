// segments.h: a super-packet of the kernel as the packets that the wire takes.
//
// A device that can segment (TSO, USO) is handed one packet of up to 64 KB with one header. On
// the wire it is many: each has the header again, with its own length, identification, sequence
// number and checksums (Linux: Documentation/networking/segmentation-offloads.rst). Nothing is
// copied: a segment is a new header and a slice of the payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "net/vnet_header.h"
#include "overlay/udp/ipv4_packet.h"

namespace weft::overlay::udp {

/// A view: the packet's bytes belong to somebody else and stay unchanged.
class Segments {
 public:
  /// IPv4 and TCP header with all their options.
  static constexpr std::size_t kLargestHeader = 120;

  /// Nothing when the header does not fit the packet: another protocol than `work` says, no
  /// segment size, a transport header that is cut off, no payload, a fragment.
  static std::optional<Segments> of(const Ipv4Packet& packet, const VnetHeader& work);

  std::size_t count() const { return (payload_.size() + segment_size_ - 1) / segment_size_; }
  std::size_t header_size() const { return header_.size(); }

  /// Writes the header of segment `index` to `header`, which has header_size() bytes, and
  /// returns the segment's payload. REQUIRES index < count().
  Bytes write(std::size_t index, Bytes header) const;

 private:
  Segments(const Ipv4Packet& packet, std::size_t transport_size, std::size_t segment_size);
  void write_tcp(std::size_t index, Bytes transport) const;

  Bytes header_;   // network and transport
  Bytes payload_;  // of all segments
  std::size_t network_size_;
  std::size_t segment_size_;
  bool tcp_;
};

/// Completes the one checksum that the kernel left to the device. False when its place does not
/// lie inside the packet.
bool complete_checksum(const Ipv4Packet& packet, const VnetHeader& work);

/// Bytes of a TCP header with its options; nothing when it is cut off or shorter than can be.
std::optional<std::size_t> tcp_header_size(std::span<const std::uint8_t> transport);

constexpr std::size_t kUdpHeader = 8;

/// Bits of byte 13 of a TCP header.
struct TcpFlags {
  static constexpr std::uint8_t kFin = 0x01;
  static constexpr std::uint8_t kPsh = 0x08;
  static constexpr std::uint8_t kAck = 0x10;
  static constexpr std::uint8_t kCwr = 0x80;
};

}  // namespace weft::overlay::udp
