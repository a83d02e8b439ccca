#include "service/relay/relay.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/lock_guarded.h"
#include "base/text.h"
#include "kernel/socket_address.h"
#include "service/relay/tcp_relay.h"
#include "service/relay/udp_relay.h"

namespace weft::service {
namespace {

using Time = Balancer::Time;

Status set_option(int fd, int level, int name) {
  const int yes = 1;
  if (::setsockopt(fd, level, name, &yes, sizeof yes) == 0) return {};
  return fail_errno("setting an option of a socket");
}

// What a TCP socket is told here, its connections inherit.
Status prepare(int fd, const IpAddress& address, bool tcp) {
  if (!address.is_v4()) RETURN_IF_ERROR(set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY));
  if (!tcp)
    return address.is_v4() ? set_option(fd, IPPROTO_IP, IP_PKTINFO)
                           : set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
  RETURN_IF_ERROR(set_option(fd, SOL_SOCKET, SO_REUSEADDR));
  RETURN_IF_ERROR(set_option(fd, SOL_SOCKET, SO_KEEPALIVE));
  return set_option(fd, IPPROTO_TCP, TCP_NODELAY);
}

Result<Fd> open_socket(const IpAddress& address, std::uint16_t port, bool tcp) {
  const kernel::SocketAddress own(address, port);
  const int type = (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  Fd fd(::socket(kernel::socket_family(address), type, 0));
  if (fd.empty()) return fail_errno("making a socket");
  RETURN_IF_ERROR(prepare(fd.get(), address, tcp));
  if (::bind(fd.get(), own.get(), own.size) != 0) return fail_errno("taking the port");
  if (tcp && ::listen(fd.get(), SOMAXCONN) != 0) return fail_errno("listening");
  return fd;
}

}  // namespace

class Relay::Worker {
 public:
  Worker(Fd epoll, Fd wake, std::chrono::milliseconds udp_idle)
      : epoll_(std::move(epoll)),
        wake_(std::move(wake)),
        tcp_(epoll_.get(), buffer_),
        udp_(epoll_.get(), buffer_, udp_idle) {}
  ~Worker() {
    thread_.request_stop();
    wake();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  static Result<std::unique_ptr<Worker>> start(std::chrono::milliseconds udp_idle) {
    Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (epoll.empty() || wake.empty()) return fail_errno("making a relay's descriptors");
    auto worker = std::make_unique<Worker>(std::move(epoll), std::move(wake), udp_idle);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    if (::epoll_ctl(worker->epoll_.get(), EPOLL_CTL_ADD, worker->wake_.get(), &event) != 0)
      return fail_errno("watching an event descriptor");
    Worker* self = worker.get();
    self->thread_ = std::jthread([self](const std::stop_token& stop) { self->run(stop); });
    return worker;
  }

  /// Does something on the worker's thread, and waits for it.
  Status on_thread(std::function<Status(Worker&)> task) {
    std::packaged_task<Status()> job([this, task = std::move(task)] { return task(*this); });
    auto outcome = job.get_future();
    tasks_.with([&](auto& tasks) { tasks.push_back(std::move(job)); });
    wake();
    return outcome.get();
  }
  TcpRelay& tcp() { return tcp_; }
  UdpRelay& udp() { return udp_; }

 private:
  void wake() { ::eventfd_write(wake_.get(), 1); }

  void run(const std::stop_token& stop) {
    ::pthread_setname_np(::pthread_self(), "relay");
    // A client that is gone is told of by an error as well; splice(2) has no flag for that.
    sigset_t pipe_signal;
    ::sigemptyset(&pipe_signal);
    ::sigaddset(&pipe_signal, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
    std::array<epoll_event, 128> events;
    while (!stop.stop_requested()) {
      const int count =
          ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), patience());
      bool woken = false;
      for (int i = 0; i < count; ++i) {
        auto* watched = static_cast<Watched*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (watched == nullptr)
          woken = true;
        else
          watched->ready();
      }
      const Time now = std::chrono::steady_clock::now();
      tcp_.finish_round(now);
      udp_.finish_round(now);
      // After the round: a task may close what an event was for.
      if (woken) do_tasks();
    }
  }

  /// In milliseconds, for epoll_wait().
  int patience() const {
    std::optional<Time> next = tcp_.next_round();
    if (const auto other = udp_.next_round(); other && (!next || *other < *next)) next = other;
    if (!next) return -1;
    const Time now = std::chrono::steady_clock::now();
    if (*next <= now) return 0;
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*next - now).count());
  }

  void do_tasks() {
    eventfd_t count = 0;
    ::eventfd_read(wake_.get(), &count);
    auto tasks = tasks_.with([](auto& waiting) { return std::exchange(waiting, {}); });
    for (auto& task : tasks) task();
  }

  std::array<char, 64 * 1024> buffer_;
  Fd epoll_;
  Fd wake_;
  TcpRelay tcp_;
  UdpRelay udp_;
  LockGuarded<std::vector<std::packaged_task<Status()>>> tasks_;
  std::jthread thread_;  // last, so that it is joined before the rest is gone
};

Relay::Relay() = default;
Relay::~Relay() = default;

Result<std::unique_ptr<Relay>> Relay::start(const RelayOptions& options) {
  CHECK(options.workers > 0);
  std::unique_ptr<Relay> relay(new Relay);
  relay->any_port_ = options.any_port;
  for (unsigned i = 0; i < options.workers; ++i) {
    ASSIGN_OR_RETURN(auto worker, Worker::start(options.udp_idle));
    relay->workers_.push_back(std::move(worker));
  }
  return relay;
}

Result<PortRange> PortRange::parse(std::string_view text) {
  const std::size_t mark = text.find_first_of("+-");
  const auto first = parse_number(trim(text.substr(0, mark)));
  const auto second = mark == std::string_view::npos ? std::optional<std::uint64_t>(0)
                                                     : parse_number(trim(text.substr(mark + 1)));
  if (trim(text).empty() || (first == 0U && second == 0U)) return PortRange{};
  constexpr std::uint64_t kMost = 65'535;
  const bool by_last = mark != std::string_view::npos && text[mark] == '-';
  if (first && second && *first > 0 && *first <= kMost && *second <= kMost) {
    const std::uint64_t last = by_last ? *second : *first + *second;
    if (last >= *first && last <= kMost)
      return PortRange{.first = static_cast<std::uint16_t>(*first),
                       .count = static_cast<std::uint16_t>(last - *first + 1)};
  }
  return fail("\"" + std::string(text) + "\" is no range of ports", "write FIRST-LAST");
}

Result<Fd> Relay::open_any(const IpAddress& address, bool tcp) {
  if (any_port_.count == 0) return open_socket(address, 0, tcp);
  for (std::uint32_t tries = 0; tries < any_port_.count; ++tries) {
    const std::uint32_t port = any_port_.first + next_port_++ % any_port_.count;
    auto socket = open_socket(address, static_cast<std::uint16_t>(port), tcp);
    if (socket || socket.error().number != EADDRINUSE) return socket;
  }
  return fail("no port between " + std::to_string(any_port_.first) + " and " +
                  std::to_string(any_port_.first + any_port_.count - 1) + " is free",
              "widen --proxy-port-range");
}

Result<Relay::Entrance> Relay::listen(const IpAddress& address, std::uint16_t port,
                                      ServiceProtocol protocol,
                                      std::shared_ptr<Balancer> balancer) {
  const bool tcp = protocol == ServiceProtocol::kTcp;
  if (!tcp && protocol != ServiceProtocol::kUdp)
    return fail(std::string(to_string(protocol)) + " is not relayed");
  auto socket = port == 0 ? open_any(address, tcp) : open_socket(address, port, tcp);
  if (!socket) {
    return because("relaying " + std::string(to_string(protocol)) + " at " + address.to_string() +
                       " port " + std::to_string(port),
                   socket.error());
  }
  kernel::SocketAddress own;
  if (::getsockname(socket->get(), own.get(), &own.size) != 0)
    return fail_errno("asking for a socket's port");
  const Entrance entrance{.id = next_id_++, .port = own.port()};
  if (tcp) {
    const auto shared = std::make_shared<const Fd>(*std::move(socket));
    for (const auto& worker : workers_)
      RETURN_IF_ERROR(worker->on_thread(
          [&](Worker& self) { return self.tcp().listen(entrance.id, shared, balancer); }));
  } else {
    RETURN_IF_ERROR(workers_[entrance.id % workers_.size()]->on_thread([&](Worker& self) {
      return self.udp().listen(entrance.id, *std::move(socket), balancer);
    }));
  }
  return entrance;
}

void Relay::close(std::uint64_t id) {
  for (const auto& worker : workers_)
    static_cast<void>(worker->on_thread([&](Worker& self) -> Status {
      self.tcp().close(id);
      self.udp().close(id);
      return {};
    }));
}

}  // namespace weft::service
