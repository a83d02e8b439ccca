// receiver.h: datagrams of the peers to the TUN device.
//
// A datagram is taken only from the address of a known peer, and only when the packet inside
// comes from that peer's own subnet (its tunnel's address is in it). flannel's proxy takes
// anything from anybody: whoever can send to its port can speak as any pod.
#pragma once

#include <span>

#include "kernel/tun.h"
#include "kernel/udp_socket.h"
#include "overlay/udp/coalescer.h"
#include "overlay/udp/counters.h"
#include "overlay/udp/peer_table.h"

namespace weft::overlay::udp {

/// Lives on one thread; what it refers to outlives it.
class Receiver final : private PacketSink {
 public:
  Receiver(const kernel::Tun& tun, const kernel::Tun::Offloads& offloads, kernel::UdpSocket& socket,
           Tallies& tallies);

  /// Moves what has arrived, up to a bound.
  void step(const PeerTable& peers);

 private:
  void take(const PeerTable& peers, const ReceivedDatagrams& message);
  void take(const PeerTable& peers, const UdpAddress& from, Bytes datagram);
  void put(std::span<const iovec> slices) override;

  const kernel::Tun& tun_;
  kernel::UdpSocket& socket_;
  Tallies& tallies_;
  Coalescer coalescer_;
};

}  // namespace weft::overlay::udp
