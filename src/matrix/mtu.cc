#include "matrix/mtu.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <set>

#include "base/fd.h"
#include "kernel/socket_address.h"

namespace weft::matrix {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::uint32_t kLeastV4 = 576;   // RFC 791: what every host takes
constexpr std::uint32_t kLeastV6 = 1280;  // RFC 8200
constexpr milliseconds kSearchPause(150);
constexpr int kTries = 3;
constexpr std::uint16_t kFirstSequence = 40'000;  // apart from the small probes'

std::optional<std::uint32_t> route_mtu(const IpAddress& target) {
  const Fd fd(::socket(kernel::socket_family(target), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const kernel::SocketAddress to(target, 9);
  if (::connect(fd.get(), to.get(), to.size) != 0) return std::nullopt;
  int mtu = 0;
  socklen_t size = sizeof mtu;
  const bool v4 = target.is_v4();
  if (::getsockopt(fd.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu, &size) !=
      0)
    return std::nullopt;
  return static_cast<std::uint32_t>(mtu);
}

// Loopback's 65536 is more than an echo request can be; the receive buffer sets a limit too.
constexpr std::uint32_t kLargest = 9000;

class Measurement {
 public:
  Measurement(std::vector<MtuProbe>& probes, std::map<Family, IcmpSocket>& icmp)
      : probes_(probes), icmp_(icmp) {}

  void run(milliseconds timeout) {
    for (int i = 0; i < kTries; ++i) {
      std::vector<std::uint32_t> sizes(probes_.size(), 0);
      for (std::size_t k = 0; k < probes_.size(); ++k) {
        if (probes_[k].passed) continue;
        probes_[k].device_mtu = route_mtu(probes_[k].target);
        sizes[k] = std::min(probes_[k].device_mtu.value_or(0), kLargest);
        if (probes_[k].device_mtu) probes_[k].device_mtu = sizes[k];
      }
      for (const std::size_t k : answered(sizes, timeout)) probes_[k].passed = sizes[k];
    }
    search();
  }

 private:
  // Halves the range of every probe that nothing answered so far, all in step.
  void search() {
    std::vector<std::uint32_t> low(probes_.size());
    std::vector<std::uint32_t> high(probes_.size());
    for (std::size_t k = 0; k < probes_.size(); ++k) {
      if (probes_[k].passed || !probes_[k].device_mtu) continue;
      low[k] = probes_[k].target.is_v4() ? kLeastV4 : kLeastV6;
      high[k] = *probes_[k].device_mtu;
    }
    for (;;) {
      std::vector<std::uint32_t> sizes(probes_.size(), 0);
      bool open = false;
      for (std::size_t k = 0; k < probes_.size(); ++k) {
        if (high[k] <= low[k] + 1) continue;
        sizes[k] = (low[k] + high[k]) / 2;
        open = true;
      }
      if (!open) return;
      const auto passed = answered(sizes, kSearchPause);
      for (std::size_t k = 0; k < probes_.size(); ++k) {
        if (sizes[k] == 0) continue;
        const bool fits = passed.contains(k);
        (fits ? low : high)[k] = sizes[k];
        if (fits) probes_[k].passed = sizes[k];
      }
    }
  }

  // Sends one request of each size that is not 0; which of them were answered.
  std::set<std::size_t> answered(const std::vector<std::uint32_t>& sizes, milliseconds timeout) {
    std::map<std::uint16_t, std::size_t> waiting;
    for (std::size_t k = 0; k < sizes.size(); ++k) {
      if (sizes[k] == 0) continue;
      const std::uint16_t sequence = sequence_++;
      auto& socket = icmp_.at(probes_[k].target.family());
      if (socket.send(probes_[k].target, sequence, sizes[k])) waiting[sequence] = k;
    }
    std::set<std::size_t> answered;
    const auto deadline = Clock::now() + timeout;
    while (!waiting.empty()) {
      const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count();
      if (left <= 0) break;
      std::vector<pollfd> polled;
      for (const auto& [family, socket] : icmp_) polled.push_back({socket.fd(), POLLIN, 0});
      ::poll(polled.data(), polled.size(), static_cast<int>(left));
      for (auto& [family, socket] : icmp_)
        while (const auto answer = socket.receive()) {
          const auto sent = waiting.find(answer->sequence);
          if (sent == waiting.end()) continue;
          if (answer->refusal.empty()) answered.insert(sent->second);
          waiting.erase(sent);
        }
    }
    return answered;
  }

  std::vector<MtuProbe>& probes_;
  std::map<Family, IcmpSocket>& icmp_;
  std::uint16_t sequence_ = kFirstSequence;
};

}  // namespace

void measure_mtus(std::vector<MtuProbe>& probes, std::map<Family, IcmpSocket>& icmp,
                  milliseconds timeout) {
  Measurement(probes, icmp).run(timeout);
}

}  // namespace weft::matrix
