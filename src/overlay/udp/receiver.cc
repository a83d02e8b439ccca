#include "overlay/udp/receiver.h"

#include <algorithm>

namespace weft::overlay::udp {

Receiver::Receiver(const kernel::Tun& tun, const kernel::Tun::Offloads& offloads,
                   kernel::UdpSocket& socket, Tallies& tallies)
    : tun_(tun),
      socket_(socket),
      tallies_(tallies),
      coalescer_(*this, {.tcp = offloads.tcp, .udp = offloads.udp}) {}

void Receiver::step(const PeerTable& peers) {
  for (const auto& message : socket_.receive()) take(peers, message);
  coalescer_.flush();
}

void Receiver::take(const PeerTable& peers, const ReceivedDatagrams& message) {
  Bytes rest = message.bytes;
  do {
    const Bytes datagram = rest.first(std::min<std::size_t>(message.datagram_size, rest.size()));
    rest = rest.subspan(datagram.size());
    take(peers, message.from, datagram);
  } while (!rest.empty());
}

void Receiver::take(const PeerTable& peers, const UdpAddress& from, Bytes datagram) {
  const auto packet = Ipv4Packet::parse(datagram);
  const UdpAddress* node = packet ? peers.find(packet->source()) : nullptr;
  // The port is not looked at: a translator between the nodes may have changed it.
  if (node == nullptr || node->address != from.address) {
    const bool known = peers.has_node(from.address);
    return tallies_.drop(!known    ? Drop::kUnknownSender
                         : !packet ? Drop::kMalformed
                                   : Drop::kSpoofed);
  }
  tallies_.received(datagram.size());
  coalescer_.add(*packet);
}

void Receiver::put(std::span<const iovec> slices) {
  if (tun_.write(slices) != 0) tallies_.drop(Drop::kDeviceFailed, slices.size() - 1);
}

}  // namespace weft::overlay::udp
