#include "dns/server.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "base/check.h"
#include "dns/poller.h"
#include "dns/protocol.h"
#include "dns/udp_listener.h"

namespace weft::dns {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How exactly the patience with silent connections is kept.
constexpr milliseconds kSweep{250};

}  // namespace

class Server::Worker {
 public:
  explicit Worker(Poller poller, const TcpLimits& limits, std::unique_ptr<Handler> handler)
      : poller_(std::move(poller)), tcp_(poller_, limits), handler_(std::move(handler)) {}
  ~Worker() {
    thread_.request_stop();
    const std::uint64_t one = 1;
    if (!wake_.empty()) (void)!::write(wake_.get(), &one, sizeof one);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // The kernel's choice of a port, when there is one, is written into `local`.
  Status listen(ListenAddress& local) {
    ASSIGN_OR_RETURN(UdpListener udp, UdpListener::open(local));
    ASSIGN_OR_RETURN(local.port, udp.port());
    RETURN_IF_ERROR(poller_.watch(udp.fd(), EPOLLIN));
    RETURN_IF_ERROR(tcp_.listen(local));
    udp_.push_back(std::move(udp));
    return {};
  }

  Status start() {
    wake_ = Fd(::eventfd(0, EFD_CLOEXEC));
    if (wake_.empty()) return fail_errno("making an event descriptor");
    RETURN_IF_ERROR(poller_.watch(wake_.get(), EPOLLIN));
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    return {};
  }

 private:
  void run(const std::stop_token& stop) {
    ::pthread_setname_np(::pthread_self(), "dns-worker");
    auto swept = Clock::now();
    while (!stop.stop_requested()) {
      const milliseconds longest = tcp_.size() == 0 ? milliseconds(-1) : kSweep;
      for (const epoll_event& event : poller_.wait(longest)) serve(event.data.fd);
      if (tcp_.size() == 0) continue;
      const auto now = Clock::now();
      if (now - swept < kSweep) continue;
      tcp_.sweep(now);
      swept = now;
    }
    finish();
  }

  void finish() {
    for (UdpListener& udp : udp_) udp.retire();
    // What the kernel was about to put into a queue is there a moment later.
    constexpr milliseconds kMoment{2};
    std::this_thread::sleep_for(kMoment);
    for (UdpListener& udp : udp_) udp.serve_rest(*handler_);
    tcp_.serve_rest(*handler_, room_, Clock::now());
  }

  void serve(int fd) {
    for (UdpListener& udp : udp_)
      if (udp.fd() == fd) return udp.serve(*handler_);
    tcp_.serve(fd, *handler_, room_, Clock::now());
  }

  Poller poller_;
  TcpPool tcp_;
  std::vector<UdpListener> udp_;
  std::unique_ptr<Handler> handler_;
  std::array<char, kLargestMessage> room_;
  Fd wake_;
  std::jthread thread_;  // last, so that it is joined before the rest is gone
};

Server::Server() = default;
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options,
                                              const MakeHandler& make_handler) {
  CHECK(options.workers > 0);
  std::unique_ptr<Server> server(new Server);
  server->addresses_ = options.addresses;
  for (unsigned i = 0; i < options.workers; ++i) {
    ASSIGN_OR_RETURN(Poller poller, Poller::open());
    auto worker = std::make_unique<Worker>(std::move(poller), options.tcp, make_handler());
    for (ListenAddress& address : server->addresses_) RETURN_IF_ERROR(worker->listen(address));
    server->workers_.push_back(std::move(worker));
  }
  for (const auto& worker : server->workers_) RETURN_IF_ERROR(worker->start());
  return server;
}

}  // namespace weft::dns
