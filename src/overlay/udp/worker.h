// worker.h: one thread that moves packets both ways between a queue of the TUN device and a
// socket.
#pragma once

#include <memory>
#include <thread>

#include "base/fd.h"
#include "base/result.h"
#include "kernel/icmp_sender.h"
#include "kernel/tun.h"
#include "kernel/udp_socket.h"
#include "overlay/udp/counters.h"
#include "overlay/udp/peer_source.h"

namespace weft::overlay::udp {

/// Works from start() until destroyed, or until the device is gone.
class Worker {
 public:
  /// `peers` and `icmp` outlive it.
  static Result<std::unique_ptr<Worker>> start(kernel::Tun tun, kernel::Tun::Offloads offloads,
                                               kernel::UdpSocket socket, const PeerSource& peers,
                                               const kernel::IcmpSender& icmp);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  Counters counters() const { return tallies_.read(); }

 private:
  Worker(kernel::Tun tun, kernel::UdpSocket socket, Fd wake)
      : tun_(std::move(tun)), socket_(std::move(socket)), wake_(std::move(wake)) {}
  void run(const std::stop_token& stop, kernel::Tun::Offloads offloads, const PeerSource& peers,
           const kernel::IcmpSender& icmp);

  const kernel::Tun tun_;
  kernel::UdpSocket socket_;
  const Fd wake_;  // an eventfd that ends the wait
  Tallies tallies_;
  std::jthread thread_;  // last, so that it is joined before the rest is gone
};

}  // namespace weft::overlay::udp
