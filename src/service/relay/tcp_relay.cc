#include "service/relay/tcp_relay.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "kernel/socket_address.h"

namespace weft::service {
namespace {

constexpr std::uint32_t kBothWays = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

Fd open_spare() {
  return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

class TcpRelay::Listener : public Watched {
 public:
  Listener(TcpRelay& relay, std::shared_ptr<const Fd> socket, std::shared_ptr<Balancer> balancer)
      : relay_(relay), socket_(std::move(socket)), balancer_(std::move(balancer)) {}
  // The other workers may keep the socket open a moment longer.
  ~Listener() override { leave_socket(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  Status watch_socket() {
    return watch(relay_.epoll_, socket_->get(), EPOLLIN | EPOLLEXCLUSIVE, *this);
  }
  void leave_socket() { unwatch(relay_.epoll_, socket_->get()); }

  void ready() override {
    // Others are waiting as well: what is left is there in the next round.
    constexpr int kAtOnce = 16;
    for (int i = 0; i < kAtOnce; ++i) {
      kernel::SocketAddress from;
      const int client =
          ::accept4(socket_->get(), from.get(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client < 0) {
        if (errno == EMFILE || errno == ENFILE) relay_.turn_away(socket_->get());
        return;
      }
      relay_.accept(client, from.address(), balancer_);
    }
  }

 private:
  TcpRelay& relay_;
  const std::shared_ptr<const Fd> socket_;
  const std::shared_ptr<Balancer> balancer_;
};

class TcpRelay::Connection : public Watched {
 public:
  Connection(TcpRelay& relay, TcpSession of) : session(std::move(of)), relay_(relay) {}
  void ready() override { relay_.go_on(*this); }

  TcpSession session;
  Connections::iterator place = {};
  bool in_turn = false;  // it is in again_

 private:
  TcpRelay& relay_;
};

TcpRelay::TcpRelay(int epoll, std::span<char> buffer)
    : epoll_(epoll), buffer_(buffer), spare_(open_spare()) {}
TcpRelay::~TcpRelay() = default;

Status TcpRelay::listen(std::uint64_t id, std::shared_ptr<const Fd> socket,
                        std::shared_ptr<Balancer> balancer) {
  auto listener = std::make_unique<Listener>(*this, std::move(socket), std::move(balancer));
  RETURN_IF_ERROR(listener->watch_socket());
  listeners_.emplace(id, std::move(listener));
  return {};
}

void TcpRelay::close(std::uint64_t id) {
  listeners_.erase(id);
}

void TcpRelay::accept(int client, const IpAddress& address,
                      const std::shared_ptr<Balancer>& balancer) {
  connections_.push_front(
      std::make_unique<Connection>(*this, TcpSession(Fd(client), address, balancer)));
  Connection& connection = *connections_.front();
  connection.place = connections_.begin();
  await_endpoint(connection);
}

void TcpRelay::turn_away(int listener) {
  spare_.reset();
  const bool done = !Fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)).empty();
  spare_ = open_spare();
  if (done) return;
  // Somebody else has taken the one that was left: clients knock until there is one again.
  constexpr std::chrono::milliseconds kPause(100);
  for (const auto& [id, each] : listeners_) each->leave_socket();
  listen_again_ = std::chrono::steady_clock::now() + kPause;
}

void TcpRelay::listen_again() {
  listen_again_.reset();
  if (spare_.empty()) spare_ = open_spare();
  // One that came meanwhile is watched already.
  for (const auto& [id, each] : listeners_) static_cast<void>(each->watch_socket());
}

void TcpRelay::await_endpoint(Connection& connection) {
  unwatch(epoll_, connection.session.endpoint());
  if (!connection.session.connect(std::chrono::steady_clock::now())) return drop(connection);
  waiting_.emplace(connection.session.deadline(), &connection);
  if (!watch(epoll_, connection.session.endpoint(), kBothWays, connection)) drop(connection);
}

void TcpRelay::stop_waiting(Connection& connection) {
  waiting_.erase({connection.session.deadline(), &connection});
}

void TcpRelay::go_on(Connection& connection) {
  TcpSession& session = connection.session;
  if (session.closed()) return;
  if (session.connecting()) {
    const int error = session.connected();
    if (error == EINPROGRESS) return;
    stop_waiting(connection);
    if (error != 0) return await_endpoint(connection);
    if (!watch(epoll_, session.client(), kBothWays, connection)) return drop(connection);
  }
  switch (session.advance(buffer_, pipes_)) {
    case TcpSession::Step::kWait:
      return;
    case TcpSession::Step::kAgain:
      if (!std::exchange(connection.in_turn, true)) again_.push_back(&connection);
      return;
    case TcpSession::Step::kClose:
      drop(connection);
  }
}

void TcpRelay::drop(Connection& connection) {
  stop_waiting(connection);
  unwatch(epoll_, connection.session.client());
  unwatch(epoll_, connection.session.endpoint());
  connection.session.close(pipes_);
  ended_.splice(ended_.begin(), connections_, connection.place);
}

void TcpRelay::finish_round(Balancer::Time now) {
  if (listen_again_ && *listen_again_ <= now) listen_again();
  for (Connection* connection : std::exchange(again_, {})) {
    connection->in_turn = false;
    go_on(*connection);
  }
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    Connection& connection = *waiting_.begin()->second;
    stop_waiting(connection);
    await_endpoint(connection);
  }
  std::erase_if(again_, [](const Connection* each) { return each->session.closed(); });
  ended_.clear();
}

std::optional<Balancer::Time> TcpRelay::next_round() const {
  if (!again_.empty()) return Balancer::Time::min();
  if (waiting_.empty()) return listen_again_;
  const Balancer::Time next = waiting_.begin()->first;
  return listen_again_ ? std::min(next, *listen_again_) : next;
}

}  // namespace weft::service
