// transmitter.h: packets from the TUN device to the peers.
//
// Each is looked up by its destination, loses one hop, is segmented where the kernel left that
// to us, and goes out as one datagram a packet. The tunnel is one hop: flannel's proxy takes one
// from the TTL on each side, and tells nobody when there is none left.
//
// What the path does not carry is answered as a router does (RFC 1812). The answer does not go
// into the TUN device, as flannel's does: the kernel takes nothing in from a device that claims
// to come from one of its own addresses (fib_validate_source), so nobody has ever seen those.
#pragma once

#include <cstdint>
#include <memory>

#include "kernel/icmp_sender.h"
#include "kernel/tun.h"
#include "kernel/udp_socket.h"
#include "overlay/udp/counters.h"
#include "overlay/udp/datagram_batch.h"
#include "overlay/udp/icmp_error.h"
#include "overlay/udp/peer_table.h"
#include "overlay/udp/rate_limit.h"

namespace weft::overlay::udp {

/// Lives on one thread; what it refers to outlives it.
class Transmitter {
 public:
  Transmitter(const kernel::Tun& tun, kernel::UdpSocket& socket, const kernel::IcmpSender& icmp,
              Tallies& tallies);

  /// Moves what is there, up to a bound. False when the device is gone.
  bool step(const PeerTable& peers);

 private:
  void take(const PeerTable& peers, Bytes bytes);
  void queue(const UdpAddress& to, const Ipv4Packet& packet, const VnetHeader& work);
  void queue_segments(const UdpAddress& to, const Ipv4Packet& packet, const VnetHeader& work);
  void send_batch();
  void count_sent(const Datagrams& message);
  bool send_again(const Datagrams& message, int error);
  void send_singly(const Datagrams& message);
  void send_one(const Datagrams& datagram, std::uint32_t path_mtu);
  void answer(IcmpReason reason, const Ipv4Packet& packet, std::uint16_t mtu = 0);

  const kernel::Tun& tun_;
  kernel::UdpSocket& socket_;
  const kernel::IcmpSender& icmp_;
  Tallies& tallies_;
  // As many as Linux sends itself (net.ipv4.icmp_msgs_per_sec, icmp_msgs_burst).
  RateLimiter answers_{1000, 50};
  bool segmentation_ = true;  // the kernel can split a message into datagrams
  const std::unique_ptr<DatagramBatch> batch_;
  const std::unique_ptr<std::uint8_t[]> bytes_;  // of the packets in the batch
};

}  // namespace weft::overlay::udp
