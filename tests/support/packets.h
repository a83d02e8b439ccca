// packets.h: IPv4 packets in few words, byte by byte right.
#pragma once

#include <cstdint>
#include <vector>

#include "overlay/udp/checksum.h"
#include "overlay/udp/ipv4_packet.h"

namespace weft::test {

using PacketBytes = std::vector<std::uint8_t>;

struct Ipv4Fields {
  std::uint32_t source = 0x0af40101;       // 10.244.1.1
  std::uint32_t destination = 0x0af40202;  // 10.244.2.2
  std::uint8_t protocol = 17;
  std::uint8_t ttl = 64;
  std::uint8_t tos = 0;
  std::uint16_t id = 1;
  std::uint16_t fragment = 0x4000;  ///< flags and offset; DF
};

inline PacketBytes ipv4(const Ipv4Fields& fields, const PacketBytes& payload) {
  using namespace overlay::udp;
  PacketBytes packet(20);
  packet[0] = 0x45;
  packet[1] = fields.tos;
  store16(&packet[2], static_cast<std::uint16_t>(20 + payload.size()));
  store16(&packet[4], fields.id);
  store16(&packet[6], fields.fragment);
  packet[8] = fields.ttl;
  packet[9] = fields.protocol;
  store32(&packet[12], fields.source);
  store32(&packet[16], fields.destination);
  checksum_ipv4_header(packet);
  packet.insert(packet.end(), payload.begin(), payload.end());
  return packet;
}

/// Puts the transport checksum at its place.
inline void checksum_transport(PacketBytes& packet) {
  using namespace overlay::udp;
  const std::size_t place = packet[9] == 6 ? 36 : 26;
  const Bytes transport = Bytes(packet).subspan(20);
  store_checksum(&packet[place], 0);
  const Bytes network = Bytes(packet).first(20);
  store_checksum(&packet[place],
                 checksum_of(add_bytes(pseudo_header_sum(network, transport.size()), transport)));
}

inline PacketBytes udp(Ipv4Fields fields, const PacketBytes& payload, std::uint16_t port = 53) {
  using namespace overlay::udp;
  PacketBytes datagram(8);
  store16(&datagram[0], 40000);
  store16(&datagram[2], port);
  store16(&datagram[4], static_cast<std::uint16_t>(8 + payload.size()));
  datagram.insert(datagram.end(), payload.begin(), payload.end());
  fields.protocol = 17;
  PacketBytes packet = ipv4(fields, datagram);
  checksum_transport(packet);
  return packet;
}

struct TcpFields {
  std::uint16_t port = 80;
  std::uint32_t sequence = 1000;
  std::uint32_t acknowledged = 5000;
  std::uint8_t flags = 0x10;  // ACK
  std::uint16_t window = 500;
  std::uint32_t timestamp = 7;  ///< of the timestamps option, which is always there
};

/// 20 bytes of IPv4, 32 of TCP, and the payload.
inline PacketBytes tcp(Ipv4Fields fields, const TcpFields& with, const PacketBytes& payload) {
  using namespace overlay::udp;
  PacketBytes segment(32);
  store16(&segment[0], 40000);
  store16(&segment[2], with.port);
  store32(&segment[4], with.sequence);
  store32(&segment[8], with.acknowledged);
  segment[12] = 8 << 4;
  segment[13] = with.flags;
  store16(&segment[14], with.window);
  segment[20] = segment[21] = 1;
  segment[22] = 8;
  segment[23] = 10;
  store32(&segment[24], with.timestamp);
  segment.insert(segment.end(), payload.begin(), payload.end());
  fields.protocol = 6;
  PacketBytes packet = ipv4(fields, segment);
  checksum_transport(packet);
  return packet;
}

/// `size` bytes that tell where they stand.
inline PacketBytes counted(std::size_t size, std::size_t from = 0) {
  PacketBytes bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>((from + i) * 7 + (from + i) / 251);
  return bytes;
}

}  // namespace weft::test
