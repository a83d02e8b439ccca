#include "overlay/udp/segments.h"

#include <algorithm>

#include "overlay/udp/checksum.h"

namespace weft::overlay::udp {

std::optional<std::size_t> tcp_header_size(std::span<const std::uint8_t> transport) {
  constexpr std::size_t kSmallest = 20;
  if (transport.size() < kSmallest) return std::nullopt;
  const std::size_t size = std::size_t{transport[12]} / 16 * 4;
  if (size < kSmallest || size > transport.size()) return std::nullopt;
  return size;
}

Segments::Segments(const Ipv4Packet& packet, std::size_t transport_size, std::size_t segment_size)
    : header_(packet.bytes().first(packet.header_size() + transport_size)),
      payload_(packet.bytes().subspan(header_.size())),
      network_size_(packet.header_size()),
      segment_size_(segment_size),
      tcp_(packet.protocol() == Ipv4Packet::kTcp) {}

std::optional<Segments> Segments::of(const Ipv4Packet& packet, const VnetHeader& work) {
  if (work.segment_size == 0 || packet.is_fragment()) return std::nullopt;
  std::optional<std::size_t> transport;
  const unsigned type = work.gso_type & ~unsigned{VnetHeader::kEcn};
  if (type == VnetHeader::kTcp4Segments && packet.protocol() == Ipv4Packet::kTcp)
    transport = tcp_header_size(packet.payload());
  if (type == VnetHeader::kUdpSegments && packet.protocol() == Ipv4Packet::kUdp)
    transport = kUdpHeader;
  if (!transport || *transport >= packet.payload().size()) return std::nullopt;
  return Segments(packet, *transport, work.segment_size);
}

void Segments::write_tcp(std::size_t index, Bytes transport) const {
  const bool last = index + 1 == count();
  const auto offset = static_cast<std::uint32_t>(index * segment_size_);
  store32(&transport[4], load32(&transport[4]) + offset);
  unsigned flags = transport[13];
  if (index != 0) flags &= ~unsigned{TcpFlags::kCwr};
  if (!last) flags &= ~unsigned{TcpFlags::kFin | TcpFlags::kPsh};
  transport[13] = static_cast<std::uint8_t>(flags);
}

Bytes Segments::write(std::size_t index, Bytes header) const {
  const std::size_t offset = index * segment_size_;
  const Bytes payload = payload_.subspan(offset, std::min(segment_size_, payload_.size() - offset));
  std::copy(header_.begin(), header_.end(), header.begin());
  const Bytes network = header.first(network_size_);
  const Bytes transport = header.subspan(network_size_);
  const std::size_t transport_size = transport.size() + payload.size();
  store16(&network[2], static_cast<std::uint16_t>(header.size() + payload.size()));
  store16(&network[4], static_cast<std::uint16_t>(load16(&network[4]) + index));
  checksum_ipv4_header(network);
  const std::size_t place = tcp_ ? 16 : 6;
  if (tcp_)
    write_tcp(index, transport);
  else
    store16(&transport[4], static_cast<std::uint16_t>(transport_size));
  store_checksum(&transport[place], 0);
  std::uint64_t sum = pseudo_header_sum(network, transport_size);
  sum = add_bytes(add_bytes(sum, transport), payload);
  const std::uint16_t checksum = checksum_of(sum);
  // A UDP checksum of 0 would mean that there is none (RFC 768).
  store_checksum(&transport[place], !tcp_ && checksum == 0 ? std::uint16_t{0xffff} : checksum);
  return payload;
}

bool complete_checksum(const Ipv4Packet& packet, const VnetHeader& work) {
  const Bytes bytes = packet.bytes();
  const std::size_t start = work.checksum_start;
  const std::size_t place = start + work.checksum_offset;
  if (start < packet.header_size() || place + 2 > bytes.size()) return false;
  // The place holds the pseudo-header's sum, so it is part of what is summed up.
  const std::uint16_t checksum = checksum_of(add_bytes(0, bytes.subspan(start)));
  const bool none = packet.protocol() == Ipv4Packet::kUdp && checksum == 0;
  store_checksum(&bytes[place], none ? std::uint16_t{0xffff} : checksum);
  return true;
}

}  // namespace weft::overlay::udp
