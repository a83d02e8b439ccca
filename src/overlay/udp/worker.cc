#include "overlay/udp/worker.h"

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <utility>

#include "overlay/udp/busy_wait.h"
#include "overlay/udp/receiver.h"
#include "overlay/udp/transmitter.h"

namespace weft::overlay::udp {

Result<std::unique_ptr<Worker>> Worker::start(kernel::Tun tun, kernel::Tun::Offloads offloads,
                                              kernel::UdpSocket socket, const PeerSource& peers,
                                              const kernel::IcmpSender& icmp) {
  Fd wake(::eventfd(0, EFD_CLOEXEC));
  if (wake.empty()) return fail_errno("making an eventfd");
  std::unique_ptr<Worker> worker(new Worker(std::move(tun), std::move(socket), std::move(wake)));
  worker->thread_ =
      std::jthread([offloads, &peers, &icmp, self = worker.get()](const std::stop_token& stop) {
        self->run(stop, offloads, peers, icmp);
      });
  return worker;
}

Worker::~Worker() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void Worker::run(const std::stop_token& stop, kernel::Tun::Offloads offloads,
                 const PeerSource& peers, const kernel::IcmpSender& icmp) {
  Transmitter transmitter(tun_, socket_, icmp, tallies_);
  Receiver receiver(tun_, offloads, socket_, tallies_);
  PeerSource::Reader reader(peers);
  std::array<pollfd, 3> ready{{{.fd = tun_.fd(), .events = POLLIN, .revents = 0},
                               {.fd = socket_.fd(), .events = POLLIN, .revents = 0},
                               {.fd = wake_.get(), .events = POLLIN, .revents = 0}}};
  using Clock = std::chrono::steady_clock;
  BusyWait wait;
  while (!stop.stop_requested()) {
    const int found = ::poll(ready.data(), ready.size(), wait.looks(Clock::now()) ? 0 : -1);
    // Whoever else wants this CPU goes first.
    if (found == 0) (void)::sched_yield();
    if (found <= 0) continue;
    wait.came(Clock::now());
    const PeerTable& table = reader.refresh();
    if (ready[0].revents != 0 && !transmitter.step(table)) return;
    if (ready[1].revents != 0) receiver.step(table);
  }
}

}  // namespace weft::overlay::udp
