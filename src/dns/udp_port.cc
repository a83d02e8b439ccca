#include "dns/udp_port.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "dns/bytes.h"
#include "dns/protocol.h"
#include "kernel/socket_address.h"

namespace weft::dns {

using kernel::SocketAddress;

Result<ListenAddress> local_address_of(const Fd& fd) {
  SocketAddress local;
  if (::getsockname(fd.get(), local.get(), &local.size) < 0)
    return fail_errno("asking for the address of a socket");
  return ListenAddress{.address = local.address(), .port = local.port()};
}

Result<std::unique_ptr<UdpPort>> UdpPort::open(const ListenAddress& upstream, OwnPorts& own) {
  const std::string tried = "asking " + upstream.to_string() + " over UDP";
  Fd fd(::socket(kernel::socket_family(upstream.address), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                 0));
  const SocketAddress to(upstream.address, upstream.port);
  // Connected: the kernel passes nothing on from others, and tells when nobody listens there.
  if (fd.empty() || ::connect(fd.get(), to.get(), to.size) < 0) return fail_errno(tried);
  ASSIGN_OR_RETURN(const ListenAddress local, local_address_of(fd));
  return std::unique_ptr<UdpPort>(new UdpPort(std::move(fd), upstream, own, local));
}

UdpPort::UdpPort(Fd fd, const ListenAddress& upstream, OwnPorts& own, const ListenAddress& local)
    : fd_(std::move(fd)), upstream_(upstream), own_(own), local_(local) {
  own_.add(local_);
}

Status UdpPort::send(std::span<char> message, Ticket ticket, std::uint16_t random, Time now) {
  ++uses_;
  used_ = now;
  put_word(message.data(), outstanding_.add(ticket, random));
  // An error may be that of an earlier message, which has been told then.
  for (int i = 0; i < 2; ++i)
    if (::send(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0) return {};
  const Failure failure = fail_errno("asking " + upstream_.to_string() + " over UDP");
  outstanding_.remove(ticket);
  return failure;
}

void UdpPort::ready(std::uint32_t, ChannelUser& user) {
  constexpr int kAtOnce = 64;
  std::array<char, 4096> bytes;
  for (int i = 0; i < kAtOnce; ++i) {
    const ssize_t size = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      return outstanding_.lose_all(
          user, fail_errno("asking " + upstream_.to_string() + " over UDP").value());
    }
    const std::string_view message(bytes.data(), static_cast<std::size_t>(size));
    const auto ticket =
        message.size() < kHeaderSize ? std::nullopt : outstanding_.find(word_at(message, 0));
    if (!ticket || !user.take_answer(*ticket, message)) ++strays_;
  }
}

}  // namespace weft::dns
