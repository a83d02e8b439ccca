#include "service/relay/tcp_session.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "kernel/socket_address.h"

namespace weft::service {
namespace {

// As long as the proxy of Kubernetes that this stands in for waits, endpoint after endpoint.
constexpr std::array kPatience{std::chrono::milliseconds(250), std::chrono::milliseconds(500),
                               std::chrono::milliseconds(1000), std::chrono::milliseconds(2000)};

// Bytes that waited for more to come waited at the client already.
void send_at_once(int fd) {
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

}  // namespace

bool TcpSession::connect(Time now) {
  // Whoever had an endpoint that does not answer leaves it.
  if (attempts_ > 0) balancer_->release(client_address_);
  while (attempts_ < kPatience.size()) {
    const auto place = balancer_->pick(client_address_, now);
    if (!place) return false;
    deadline_ = now + kPatience[attempts_++];
    endpoint_ = Fd(::socket(kernel::socket_family(place->address),
                            SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (endpoint_.empty()) return false;
    send_at_once(endpoint_.get());
    const kernel::SocketAddress to(place->address, place->port);
    if (::connect(endpoint_.get(), to.get(), to.size) == 0 || errno == EINPROGRESS) return true;
    balancer_->release(client_address_);
  }
  return false;
}

int TcpSession::connected() {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(endpoint_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  if (error != 0) return error;
  // The first event may come before anything was heard.
  kernel::SocketAddress peer;
  if (::getpeername(endpoint_.get(), peer.get(), &peer.size) != 0) return EINPROGRESS;
  send_at_once(client_.get());
  connecting_ = false;
  return 0;
}

TcpSession::Step TcpSession::advance(std::span<char> buffer, Pipes& pipes) {
  using Lane = ByteLane::Step;
  const Lane up = up_.advance(client_.get(), endpoint_.get(), buffer, pipes);
  if (up == Lane::kBroken) return Step::kClose;
  const Lane down = down_.advance(endpoint_.get(), client_.get(), buffer, pipes);
  if (down == Lane::kBroken || (up == Lane::kDone && down == Lane::kDone)) return Step::kClose;
  return up == Lane::kAgain || down == Lane::kAgain ? Step::kAgain : Step::kWait;
}

void TcpSession::close(Pipes& pipes) {
  if (!up_.done() || !down_.done()) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    for (const int fd : {client_.get(), endpoint_.get()})
      if (fd != -1) ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  up_.release(pipes);
  down_.release(pipes);
  endpoint_.reset();
  client_.reset();
}

}  // namespace weft::service
