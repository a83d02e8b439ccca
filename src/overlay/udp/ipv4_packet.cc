#include "overlay/udp/ipv4_packet.h"

#include "overlay/udp/checksum.h"

namespace weft::overlay::udp {

std::optional<Ipv4Packet> Ipv4Packet::parse(Bytes bytes) {
  if (bytes.size() < kSmallestHeader || bytes[0] >> 4U != 4) return std::nullopt;
  const Ipv4Packet packet(bytes);
  const std::size_t header = packet.header_size();
  if (header < kSmallestHeader || header > bytes.size()) return std::nullopt;
  if (load16(&bytes[2]) != bytes.size()) return std::nullopt;
  if (fold(add_bytes(0, packet.header())) != 0xffff) return std::nullopt;
  return packet;
}

void Ipv4Packet::decrement_ttl() {
  --bytes_[8];
  // The word of TTL and protocol lost 0x0100, so its complement's sum gains as much.
  std::uint32_t checksum = load16(&bytes_[10]) + 0x0100U;
  checksum += checksum >> 16U;
  store16(&bytes_[10], static_cast<std::uint16_t>(checksum));
}

void checksum_ipv4_header(Bytes header) {
  store_checksum(&header[10], 0);
  store_checksum(&header[10], checksum_of(add_bytes(0, header)));
}

std::uint64_t pseudo_header_sum(std::span<const std::uint8_t> header, std::size_t size) {
  std::uint8_t rest[4] = {0, header[9]};
  store16(&rest[2], static_cast<std::uint16_t>(size));
  return add_bytes(add_bytes(0, header.subspan(12, 8)), rest);
}

bool transport_checksum_holds(const Ipv4Packet& packet) {
  const Bytes transport = packet.payload();
  return fold(add_bytes(pseudo_header_sum(packet.header(), transport.size()), transport)) == 0xffff;
}

}  // namespace weft::overlay::udp
