#include "overlay/udp/tunnel.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

namespace weft::overlay::udp {
namespace {

// More would wait for each other in the kernel rather than move more packets.
constexpr std::size_t kMostThreads = 16;

Result<std::size_t> thread_count(std::size_t wanted) {
  ASSIGN_OR_RETURN(const bool queues, kernel::Tun::allows_queues());
  if (!queues) return 1;
  if (wanted == 0) wanted = std::thread::hardware_concurrency();
  return std::clamp<std::size_t>(wanted, 1, kMostThreads);
}

Result<std::vector<kernel::UdpSocket>> open_sockets(const UdpAddress& local, std::size_t count) {
  std::vector<kernel::UdpSocket> sockets;
  sockets.reserve(count);
  ASSIGN_OR_RETURN(auto first, kernel::UdpSocket::open(local));
  sockets.push_back(std::move(first));
  while (sockets.size() < count) {
    ASSIGN_OR_RETURN(auto next, kernel::UdpSocket::join(sockets.front(), local));
    sockets.push_back(std::move(next));
  }
  return sockets;
}

}  // namespace

Result<std::unique_ptr<Tunnel>> Tunnel::open(const Options& options) {
  ASSIGN_OR_RETURN(const std::size_t threads, thread_count(options.threads));
  const UdpAddress local{.address = options.local.v4_number(), .port = options.port};
  ASSIGN_OR_RETURN(auto sockets, open_sockets(local, threads));
  ASSIGN_OR_RETURN(auto icmp, kernel::IcmpSender::open(options.device_address));
  std::unique_ptr<Tunnel> tunnel(new Tunnel(options, std::move(icmp)));
  kernel::Tun::Offloads offloads;
  for (std::size_t i = 0; i < threads; ++i) {
    ASSIGN_OR_RETURN(auto tun, kernel::Tun::attach(options.device));
    if (i == 0) {
      RETURN_IF_ERROR(tun.persist());
      offloads = tun.ask_offloads();
    }
    ASSIGN_OR_RETURN(auto worker, Worker::start(std::move(tun), offloads, std::move(sockets[i]),
                                                tunnel->peers_, tunnel->icmp_));
    tunnel->workers_.push_back(std::move(worker));
  }
  return tunnel;
}

Counters Tunnel::counters() const {
  Counters sum;
  for (const auto& worker : workers_) sum += worker->counters();
  return sum;
}

}  // namespace weft::overlay::udp
