#include "dns/tcp_pool.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "kernel/socket_address.h"

namespace weft::dns {
namespace {

using kernel::SocketAddress;

constexpr int kBacklog = 1024;
// Connections taken before another socket's turn comes.
constexpr int kAtOnce = 16;

Status set_option(const Fd& fd, int level, int option) {
  const int on = 1;
  if (::setsockopt(fd.get(), level, option, &on, sizeof on) < 0)
    return fail_errno("setting an option of a TCP socket");
  return {};
}

// A descriptor is used again after its connection; the number of the connection is not.
std::uint64_t channel_of(int fd, std::uint32_t connection) {
  return std::uint64_t{connection} << 32U | static_cast<std::uint32_t>(fd);
}
int descriptor_of(std::uint64_t channel) {
  return static_cast<int>(channel & 0xffffffffU);
}

std::uint32_t events_of(TcpConnection::Next next) {
  if (next == TcpConnection::Next::kRest) return 0;
  return next == TcpConnection::Next::kRead ? EPOLLIN : EPOLLOUT;
}

}  // namespace

Status TcpPool::listen(const ListenAddress& local) {
  const std::string tried = "listening on TCP " + local.to_string();
  Fd fd(::socket(kernel::socket_family(local.address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                 0));
  if (fd.empty()) return fail_errno(tried);
  RETURN_IF_ERROR(set_option(fd, SOL_SOCKET, SO_REUSEADDR));
  RETURN_IF_ERROR(set_option(fd, SOL_SOCKET, SO_REUSEPORT));
  if (!local.address.is_v4()) RETURN_IF_ERROR(set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY));
  const SocketAddress address(local.address, local.port);
  if (::bind(fd.get(), address.get(), address.size) < 0 || ::listen(fd.get(), kBacklog) < 0)
    return fail_errno(tried);
  return adopt(std::move(fd));
}

Status TcpPool::adopt(Fd listener) {
  RETURN_IF_ERROR(poller_.watch(listener.get(), EPOLLIN));
  listeners_.push_back(std::move(listener));
  return {};
}

Result<std::uint16_t> TcpPool::port() const {
  SocketAddress address;
  if (::getsockname(listeners_.back().get(), address.get(), &address.size) < 0)
    return fail_errno("asking for the port of a TCP socket");
  return address.port();
}

bool TcpPool::serve(int fd, std::uint32_t events, Handler& handler, std::span<char> room,
                    Time now) {
  if (const auto found = connections_.find(fd); found != connections_.end()) {
    // Both sides are closed, or it has been reset: there is nobody left to be answered.
    if ((events & (EPOLLHUP | EPOLLERR)) != 0)
      close(fd);
    else
      advance(*found->second, handler, room, now);
    return true;
  }
  const bool is_listener = std::any_of(listeners_.begin(), listeners_.end(),
                                       [&](const Fd& each) { return each.get() == fd; });
  if (is_listener) accept_from(fd, handler, room, now);
  return is_listener;
}

void TcpPool::accept_from(int listener, Handler& handler, std::span<char> room, Time now) {
  for (int i = 0; i < kAtOnce; ++i) {
    SocketAddress peer;
    Fd fd(::accept4(listener, peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.empty()) return;
    SocketAddress local;
    (void)::getsockname(fd.get(), local.get(), &local.size);
    const Client client{.address = peer.address(),
                        .port = peer.port(),
                        .over_tcp = true,
                        .local = local.address(),
                        .channel = channel_of(fd.get(), ++accepted_)};
    if (const auto held = of_client_.find(client.address);
        held != of_client_.end() && held->second >= limits_.of_a_client)
      continue;  // closed at once: the client sees it, instead of waiting
    if (connections_.size() >= limits_.connections) make_way();
    // Answers are written whole, and the next may be far off.
    (void)set_option(fd, IPPROTO_TCP, TCP_NODELAY);
    const int number = fd.get();
    auto connection = std::make_unique<TcpConnection>(std::move(fd), client, limits_.patience, now);
    ++of_client_[client.address];
    TcpConnection& placed =
        *connections_.insert_or_assign(number, std::move(connection)).first->second;
    advance(placed, handler, room, now);
  }
}

void TcpPool::advance(TcpConnection& connection, Handler& handler, std::span<char> room, Time now) {
  const auto next = connection.advance(handler, room, now);
  const bool is_watched =
      next != TcpConnection::Next::kClose && poller_.watch(connection.fd(), events_of(next));
  if (!is_watched) close(connection.fd());
}

void TcpPool::send(const Client& client, std::string_view message, Time now) {
  const auto found = connections_.find(descriptor_of(client.channel));
  if (found == connections_.end() || found->second->client().channel != client.channel) return;
  found->second->take_answer(message, now);
  // It may have held queries back while it waited for this answer: its turn comes at once.
  if (!poller_.watch(found->first, EPOLLIN | EPOLLOUT)) close(found->first);
}

void TcpPool::close(int fd) {
  const auto found = connections_.find(fd);
  const auto held = of_client_.find(found->second->client().address);
  if (--held->second == 0) of_client_.erase(held);
  connections_.erase(found);
}

void TcpPool::make_way() {
  const auto oldest = std::min_element(connections_.begin(), connections_.end(),
                                       [](const auto& one, const auto& other) {
                                         return one.second->deadline() < other.second->deadline();
                                       });
  if (oldest != connections_.end()) close(oldest->first);
}

void TcpPool::sweep(Time now) {
  std::vector<int> silent;
  for (const auto& [fd, connection] : connections_)
    if (connection->deadline() <= now) silent.push_back(fd);
  for (const int fd : silent) close(fd);
}

void TcpPool::serve_rest(Handler& handler, std::span<char> room, Time now) {
  for (const Fd& listener : listeners_) accept_from(listener.get(), handler, room, now);
  std::vector<int> open;
  for (const auto& [fd, connection] : connections_) open.push_back(fd);
  for (const int fd : open) advance(*connections_.at(fd), handler, room, now);
}

}  // namespace weft::dns
