// tunnel.h: flannel's udp tunnel of one node: a TUN device, a UDP port, and threads between.
//
// Theory of operation. Each thread has a queue of the device and a socket at the port, and moves
// packets both ways between the two; nothing else is shared but the table of peers, which is
// swapped whole. The kernel keeps a flow on one queue and a peer on one socket, so packets stay
// in order. What makes it fast is that packets are handled by the dozen: the device gives and
// takes TCP in pieces of 64 KB (kernel/tun.h), the socket too (kernel/udp_socket.h), and on the
// wire they are ordinary packets, one a datagram, as flannel's proxy expects and sends.
//
// The sockets are not steered by the inner flow: datagrams of one peer that the kernel has
// joined hold many flows, and one flow must not be on two threads at a time.
//
// The device outlives the daemon (it is persistent, flannel's is not). While the daemon restarts,
// device, address and route stay as they are and packets are dropped: a stream goes on where it
// was. Without the device the kernel would take its route away with it, and pods' packets would
// follow the default route, out to strangers, and leave masqueraded connections behind that
// outlive the gap.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/icmp_sender.h"
#include "overlay/udp/counters.h"
#include "overlay/udp/peer_source.h"
#include "overlay/udp/worker.h"

namespace weft::overlay::udp {

/// Has one owner thread; the workers' threads are its own affair.
class Tunnel {
 public:
  struct Options {
    std::string device = "flannel0";
    IpAddress local = {};  ///< the uplink's, IPv4
    std::uint16_t port = 8285;
    IpAddress device_address = {};  ///< where its ICMP messages come from
    std::size_t threads = 0;        ///< 0: one a core
    bool operator==(const Options&) const = default;
  };

  /// Opens the port, then the device (made when it is missing, persistent), in the calling
  /// thread's namespace, and starts to work. EADDRINUSE when another program has the port.
  /// When the device is deleted the threads end; a new tunnel makes another.
  static Result<std::unique_ptr<Tunnel>> open(const Options& options);

  const Options& options() const { return options_; }
  void set_peers(PeerTable peers) { peers_.set(std::move(peers)); }
  Counters counters() const;

 private:
  Tunnel(Options options, kernel::IcmpSender icmp)
      : options_(std::move(options)), icmp_(std::move(icmp)) {}

  const Options options_;
  const kernel::IcmpSender icmp_;
  PeerSource peers_;
  std::vector<std::unique_ptr<Worker>> workers_;  // last: they use the rest
};

}  // namespace weft::overlay::udp
