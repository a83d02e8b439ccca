#include "dns/upstream_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "dns/bytes.h"
#include "dns/protocol.h"
#include "dns/udp_port.h"
#include "kernel/socket_address.h"

namespace weft::dns {
namespace {

using kernel::SocketAddress;

// Answers that are read before another socket's turn comes.
constexpr int kAtOnce = 16;

}  // namespace

Result<std::unique_ptr<UpstreamStream>> UpstreamStream::open(const ListenAddress& upstream,
                                                             OwnPorts& own, Poller& poller,
                                                             std::unique_ptr<TlsSession> tls) {
  const std::string tried = "connecting to " + upstream.to_string();
  Fd fd(::socket(kernel::socket_family(upstream.address),
                 SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.empty()) return fail_errno(tried);
  const int on = 1;
  (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const SocketAddress to(upstream.address, upstream.port);
  if (::connect(fd.get(), to.get(), to.size) < 0 && errno != EINPROGRESS) return fail_errno(tried);
  ASSIGN_OR_RETURN(const ListenAddress local, local_address_of(fd));
  return std::unique_ptr<UpstreamStream>(
      new UpstreamStream(std::move(fd), upstream, own, local, poller, std::move(tls)));
}

UpstreamStream::UpstreamStream(Fd fd, const ListenAddress& upstream, OwnPorts& own,
                               const ListenAddress& local, Poller& poller,
                               std::unique_ptr<TlsSession> tls)
    : fd_(std::move(fd)),
      upstream_(upstream),
      own_(own),
      local_(local),
      poller_(poller),
      tls_(std::move(tls)) {
  own_.add(local_);
}

std::string UpstreamStream::tried() const {
  return "asking " + upstream_.to_string() + (tls_ == nullptr ? " over TCP" : " over TLS");
}

void UpstreamStream::send(std::span<char> message, Ticket ticket, std::uint16_t random, Time now) {
  put_word(message.data(), outstanding_.add(ticket, random));
  used_ = now;
  std::array<char, 2> prefix{};
  put_word(prefix.data(), static_cast<std::uint16_t>(message.size()));
  std::string framed(prefix.data(), prefix.size());
  framed.append(message.data(), message.size());
  if (tls_ == nullptr)
    output_ += framed;
  else if (!tls_->write(framed))
    broken_ = true;
  // What goes wrong now shows again when the socket is served.
  if (connected_ && !broken_) (void)flush();
  if (broken_ || !output_.empty()) (void)poller_.watch(fd_.get(), EPOLLIN | EPOLLOUT);
}

Status UpstreamStream::flush() {
  if (tls_ != nullptr) output_ += tls_->take_output();
  std::size_t sent = 0;
  while (sent < output_.size()) {
    const ssize_t size =
        ::send(fd_.get(), output_.data() + sent, output_.size() - sent, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (size < 0) return fail_errno(tried());
    sent += static_cast<std::size_t>(size);
  }
  output_.erase(0, sent);
  return {};
}

void UpstreamStream::ready(std::uint32_t events, ChannelUser& user) {
  if (broken_) return outstanding_.lose_all(user, fail(tried() + " broke off").value());
  Status status;
  if (!connected_ && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
    int error = 0;
    socklen_t size = sizeof error;
    (void)::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0)
      status = fail_errno(tried(), error);
    else
      connected_ = true;
  }
  if (status && connected_) status = flush();
  if (status && connected_) status = read(user);
  if (status && connected_) status = flush();  // of a handshake
  if (status)
    status = poller_.watch(fd_.get(), connected_ && output_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
  if (status) return;
  broken_ = true;
  outstanding_.lose_all(user, status.error());
}

Status UpstreamStream::read(ChannelUser& user) {
  std::array<char, 16384> bytes;
  for (int i = 0; i < kAtOnce; ++i) {
    const ssize_t size = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
    if (size < 0) return fail_errno(tried());
    if (size == 0) return fail(tried() + ": the connection was closed");
    const std::string_view read(bytes.data(), static_cast<std::size_t>(size));
    if (tls_ == nullptr) {
      take_in(read, user);
      continue;
    }
    if (Status fed = tls_->feed(read); !fed) return because(tried(), fed.error());
    std::array<char, 16384> plain;
    while (const std::size_t count = tls_->read(plain)) take_in({plain.data(), count}, user);
  }
  return {};
}

void UpstreamStream::take_in(std::string_view bytes, ChannelUser& user) {
  while (!bytes.empty()) {
    const std::span<char> room = framing_.room();
    const std::size_t size = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), size, room.begin());
    framing_.filled(size);
    bytes.remove_prefix(size);
    while (const auto message = framing_.next()) {
      if (message->size() < kHeaderSize) continue;
      const auto ticket = outstanding_.find(word_at(*message, 0));
      if (ticket && user.take_answer(*ticket, *message)) has_served_ = true;
    }
  }
}

}  // namespace weft::dns
