#include "dns/server.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "base/check.h"
#include "dns/poller.h"
#include "dns/protocol.h"
#include "dns/udp_listener.h"
#include "dns/udp_port.h"

namespace weft::dns {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How exactly the patience with silent connections is kept.
constexpr milliseconds kSweep{250};
// Resolvers ask again, or give up, after five seconds.
constexpr milliseconds kLongestDebt{5'000};

}  // namespace

class Server::Worker : public Replies {
 public:
  Worker(Poller poller, const TcpLimits& limits)
      : poller_(std::move(poller)), tcp_(poller_, limits) {}
  ~Worker() override { request_stop(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // The kernel's choice of a port, when there is one, is written into `local`.
  Status listen(ListenAddress& local, OpenSockets& inherited) {
    auto datagrams = inherited.take(SocketKind::kUdp, local);
    auto connections = inherited.take(SocketKind::kTcp, local);
    if (datagrams) {
      RETURN_IF_ERROR(add(UdpListener::adopt(*std::move(datagrams), local)));
    } else {
      ASSIGN_OR_RETURN(UdpListener udp, UdpListener::open(local));
      ASSIGN_OR_RETURN(local.port, udp.port());
      RETURN_IF_ERROR(add(std::move(udp)));
    }
    return connections ? tcp_.adopt(*std::move(connections)) : tcp_.listen(local);
  }

  // Callable while the worker works, as the next one.
  void copy_sockets(OpenSockets& copies) const {
    for (const UdpListener& udp : udp_) copy(udp.socket(), SocketKind::kUdp, copies);
    for (const Fd& listener : tcp_.listeners()) copy(listener, SocketKind::kTcp, copies);
  }
  void leave_sockets() { is_left_ = true; }

  void serve_with(std::unique_ptr<Handler> handler) { handler_ = std::move(handler); }

  Status start() {
    wake_ = Fd(::eventfd(0, EFD_CLOEXEC));
    if (wake_.empty()) return fail_errno("making an event descriptor");
    RETURN_IF_ERROR(poller_.watch(wake_.get(), EPOLLIN));
    if (const int fd = handler_->work_descriptor(); fd >= 0)
      RETURN_IF_ERROR(poller_.watch(fd, EPOLLIN));
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    return {};
  }

  void request_stop() {
    thread_.request_stop();
    const std::uint64_t one = 1;
    if (!wake_.empty()) (void)!::write(wake_.get(), &one, sizeof one);
  }

  void send(const Client& client, std::string_view message) override {
    if (client.over_tcp)
      tcp_.send(client, message, Clock::now());
    else
      udp_[client.channel].send(client, message);
  }

 private:
  Status add(UdpListener udp) {
    RETURN_IF_ERROR(poller_.watch(udp.fd(), EPOLLIN));
    udp.set_channel(udp_.size());
    udp_.push_back(std::move(udp));
    return {};
  }

  static void copy(const Fd& fd, SocketKind kind, OpenSockets& copies) {
    Fd copied(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    const auto address = local_address_of(fd);
    if (!copied.empty() && address)
      copies.add({.kind = kind, .address = *address, .fd = std::move(copied)});
  }

  void run(const std::stop_token& stop) {
    ::pthread_setname_np(::pthread_self(), "dns-worker");
    auto swept = Clock::now();
    while (!stop.stop_requested()) {
      const milliseconds longest = tcp_.size() == 0 ? milliseconds(-1) : kSweep;
      for (const epoll_event& event : poller_.wait(longest)) serve(event);
      if (tcp_.size() == 0) continue;
      const auto now = Clock::now();
      if (now - swept < kSweep) continue;
      tcp_.sweep(now);
      swept = now;
    }
    finish();
  }

  void finish() {
    // A socket that somebody else goes on with must stay open to all.
    if (!is_left_)
      for (UdpListener& udp : udp_) udp.retire();
    // What the kernel was about to put into a queue is there a moment later.
    constexpr milliseconds kMoment{2};
    std::this_thread::sleep_for(kMoment);
    for (UdpListener& udp : udp_) udp.serve_rest(*handler_);
    tcp_.serve_rest(*handler_, room_, Clock::now());
    const auto end = Clock::now() + kLongestDebt;
    while (handler_->owes_answers() && Clock::now() < end) {
      pollfd wait{.fd = handler_->work_descriptor(), .events = POLLIN, .revents = 0};
      if (::poll(&wait, 1, static_cast<int>(kSweep.count())) > 0) handler_->work();
    }
  }

  void serve(const epoll_event& event) {
    const int fd = event.data.fd;
    for (UdpListener& udp : udp_)
      if (udp.fd() == fd) return udp.serve(*handler_);
    if (tcp_.serve(fd, event.events, *handler_, room_, Clock::now())) return;
    if (fd == handler_->work_descriptor()) handler_->work();
  }

  Poller poller_;
  TcpPool tcp_;
  std::vector<UdpListener> udp_;
  std::unique_ptr<Handler> handler_;
  std::array<char, kLargestMessage> room_;
  Fd wake_;
  std::atomic<bool> is_left_{false};
  std::jthread thread_;  // last, so that it is joined before the rest is gone
};

Server::Server() = default;
// All at the same time, since each waits for what it owes.
Server::~Server() {
  for (const auto& worker : workers_) worker->request_stop();
}

OpenSockets Server::sockets() const {
  OpenSockets copies;
  for (const auto& worker : workers_) worker->copy_sockets(copies);
  return copies;
}

void Server::leave_sockets() {
  for (const auto& worker : workers_) worker->leave_sockets();
}

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options,
                                              const MakeHandler& make_handler,
                                              OpenSockets& inherited) {
  CHECK(options.workers > 0);
  std::unique_ptr<Server> server(new Server);
  server->addresses_ = options.addresses;
  for (unsigned i = 0; i < options.workers; ++i) {
    ASSIGN_OR_RETURN(Poller poller, Poller::open());
    auto worker = std::make_unique<Worker>(std::move(poller), options.tcp);
    ASSIGN_OR_RETURN(auto handler, make_handler(*worker));
    worker->serve_with(std::move(handler));
    for (ListenAddress& address : server->addresses_)
      RETURN_IF_ERROR(worker->listen(address, inherited));
    server->workers_.push_back(std::move(worker));
  }
  // Of one that had more workers: what waits in their queues must be answered, too.
  for (ListenAddress& address : server->addresses_)
    while (inherited.has(address))
      RETURN_IF_ERROR(server->workers_.front()->listen(address, inherited));
  for (const auto& worker : server->workers_) RETURN_IF_ERROR(worker->start());
  return server;
}

}  // namespace weft::dns
