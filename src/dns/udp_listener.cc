#include "dns/udp_listener.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>

#include "dns/protocol.h"
#include "kernel/socket_address.h"

namespace weft::dns {
namespace {

using kernel::SocketAddress;

// Queries that one system call takes.
constexpr std::size_t kBatch = 32;
// Batches that are answered before another socket's turn comes.
constexpr int kBatchesAtOnce = 4;
// A query that is longer makes no sense.
constexpr std::size_t kLongestQuery = 2048;
// For a burst while the thread is elsewhere; the kernel's usual 208 KB hold some 250 queries.
constexpr int kSocketBuffer = 4 << 20;

Status set_option(const Fd& fd, int level, int option, int value) {
  if (::setsockopt(fd.get(), level, option, &value, sizeof value) < 0)
    return fail_errno("setting an option of a UDP socket");
  return {};
}

// Told with each query where it was sent to.
Status ask_for_destination(const Fd& fd, Family family) {
  return family == Family::kIpv4 ? set_option(fd, IPPROTO_IP, IP_PKTINFO, 1)
                                 : set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

// Answers are never larger than any path takes, and nobody shall make us fragment them by telling
// of a small one (RFC 9715, section 3.1).
void ignore_path_mtu(const Fd& fd, Family family) {
  const int value = family == Family::kIpv4 ? IP_PMTUDISC_OMIT : IPV6_PMTUDISC_OMIT;
  const int level = family == Family::kIpv4 ? IPPROTO_IP : IPPROTO_IPV6;
  const int option = family == Family::kIpv4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER;
  (void)::setsockopt(fd.get(), level, option, &value, sizeof value);
}

// The control message names the query's destination, which is returned; as that of the answer it
// names its source. The device is left to the routes, but for link-local addresses, which need it.
std::optional<IpAddress> turn_round(msghdr& message) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(&message, control)) {
    const auto* data = reinterpret_cast<const char*>(CMSG_DATA(control));
    if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO)
      return IpAddress::from_bytes({data + offsetof(in6_pktinfo, ipi6_addr), sizeof(in6_addr)});
    if (control->cmsg_level != IPPROTO_IP || control->cmsg_type != IP_PKTINFO) continue;
    in_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(control), sizeof info);
    info.ipi_ifindex = 0;
    std::memcpy(CMSG_DATA(control), &info, sizeof info);
    return IpAddress::from_bytes({data + offsetof(in_pktinfo, ipi_addr), sizeof(in_addr)});
  }
  return std::nullopt;
}

// Room for one address, as the source of an answer.
struct SourceControl {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> bytes{};

  void name(const IpAddress& source, msghdr& message) {
    message.msg_control = bytes.data();
    message.msg_controllen = bytes.size();
    cmsghdr* control = CMSG_FIRSTHDR(&message);
    if (source.is_v4()) {
      in_pktinfo info{};
      std::memcpy(&info.ipi_spec_dst, source.bytes().data(), source.bytes().size());
      put(*control, IPPROTO_IP, IP_PKTINFO, info);
      message.msg_controllen = CMSG_SPACE(sizeof info);
    } else {
      in6_pktinfo info{};
      std::memcpy(&info.ipi6_addr, source.bytes().data(), source.bytes().size());
      put(*control, IPPROTO_IPV6, IPV6_PKTINFO, info);
      message.msg_controllen = CMSG_SPACE(sizeof info);
    }
  }

 private:
  template <class Info>
  static void put(cmsghdr& control, int level, int type, const Info& info) {
    control.cmsg_level = level;
    control.cmsg_type = type;
    control.cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(&control), &info, sizeof info);
  }
};

}  // namespace

struct UdpListener::Room {
  struct Query {
    SocketAddress peer;
    iovec slice{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control;
    std::array<char, kLongestQuery> bytes;
  };
  std::array<mmsghdr, kBatch> messages{};
  std::array<Query, kBatch> queries;
  std::array<std::array<char, kUdpSize>, kBatch> answers;
};

Result<UdpListener> UdpListener::open(const ListenAddress& local) {
  const std::string tried = "listening on UDP " + local.to_string();
  const Family family = local.address.family();
  Fd fd(
      ::socket(kernel::socket_family(local.address), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.empty()) return fail_errno(tried);
  RETURN_IF_ERROR(set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1));
  // IPv4 has a socket of its own.
  if (family == Family::kIpv6) RETURN_IF_ERROR(set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
  if (local.address.is_unspecified()) RETURN_IF_ERROR(ask_for_destination(fd, family));
  ignore_path_mtu(fd, family);
  (void)set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kSocketBuffer);
  (void)set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, kSocketBuffer);
  const SocketAddress address(local.address, local.port);
  if (::bind(fd.get(), address.get(), address.size) < 0) return fail_errno(tried);
  return UdpListener(std::move(fd), local.address);
}

Result<std::uint16_t> UdpListener::port() const {
  SocketAddress address;
  if (::getsockname(fd_.get(), address.get(), &address.size) < 0)
    return fail_errno("asking for the port of a UDP socket");
  return address.port();
}

UdpListener::UdpListener(Fd fd, const IpAddress& local)
    : fd_(std::move(fd)),
      local_(local),
      any_address_(local.is_unspecified()),
      room_(std::make_unique<Room>()) {}
UdpListener::UdpListener(UdpListener&&) noexcept = default;
UdpListener::~UdpListener() = default;

void UdpListener::serve(Handler& handler) {
  for (int i = 0; i < kBatchesAtOnce; ++i)
    if (!serve_batch(handler)) return;
}

// A connected socket gets datagrams of its peer alone, and a group of sockets passes it over.
void UdpListener::retire() {
  constexpr std::uint16_t kDiscard = 9;
  const SocketAddress nobody(
      local_.is_v4() ? IpAddress::v4(INADDR_LOOPBACK) : *IpAddress::any(Family::kIpv6).plus(1),
      kDiscard);
  (void)::connect(fd_.get(), nobody.get(), nobody.size);
}

// Whether it arrives is between the network and the client, who asks again.
void UdpListener::send(const Client& client, std::string_view message) {
  SocketAddress peer(client.address, client.port);
  iovec slice{.iov_base = const_cast<char*>(message.data()), .iov_len = message.size()};
  msghdr header{};
  header.msg_name = peer.get();
  header.msg_namelen = peer.size;
  header.msg_iov = &slice;
  header.msg_iovlen = 1;
  SourceControl source;
  if (any_address_ && !client.local.is_unspecified()) source.name(client.local, header);
  (void)::sendmsg(fd_.get(), &header, MSG_NOSIGNAL);
}

void UdpListener::serve_rest(Handler& handler) {
  // A bound, since one who asks faster than we answer could hold up the end for ever.
  constexpr int kMost = 1000;
  for (int i = 0; i < kMost && serve_batch(handler); ++i) {
  }
}

// False when nothing more is there for now.
bool UdpListener::serve_batch(Handler& handler) {
  const std::size_t received = receive();
  const std::size_t answers = answer(received, handler);
  // An answer that finds no room in the socket's buffer is lost, as on the way; an error is that of
  // the first only, so the others are tried again.
  for (std::size_t sent = 0; sent < answers;) {
    const int count = ::sendmmsg(fd_.get(), &room_->messages[sent],
                                 static_cast<unsigned>(answers - sent), MSG_NOSIGNAL);
    sent += count <= 0 ? 1U : static_cast<std::size_t>(count);
  }
  return received == kBatch;
}

std::size_t UdpListener::receive() {
  for (std::size_t i = 0; i < kBatch; ++i) {
    Room::Query& query = room_->queries[i];
    query.peer = SocketAddress();
    query.slice = {.iov_base = query.bytes.data(), .iov_len = query.bytes.size()};
    msghdr& message = room_->messages[i].msg_hdr;
    message = {};
    message.msg_name = query.peer.get();
    message.msg_namelen = query.peer.size;
    message.msg_iov = &query.slice;
    message.msg_iovlen = 1;
    if (!any_address_) continue;
    message.msg_control = query.control.data();
    message.msg_controllen = query.control.size();
  }
  // An error is one of an answer that found nobody, and has no query with it.
  const int count = ::recvmmsg(fd_.get(), room_->messages.data(), kBatch, 0, nullptr);
  return count < 0 ? 0U : static_cast<std::size_t>(count);
}

// Turns the messages into those of the answers, of which there may be fewer.
std::size_t UdpListener::answer(std::size_t received, Handler& handler) {
  std::size_t answers = 0;
  for (std::size_t i = 0; i < received; ++i) {
    Room::Query& query = room_->queries[i];
    msghdr& message = room_->messages[i].msg_hdr;
    Client client{.address = query.peer.address(),
                  .port = query.peer.port(),
                  .local = local_,
                  .channel = channel_};
    // The port 0 cannot be answered; of a query that was cut off we know too little.
    if (client.port == 0 || (message.msg_flags & MSG_TRUNC) != 0) continue;
    const std::string_view bytes(query.bytes.data(), room_->messages[i].msg_len);
    if (any_address_) client.local = turn_round(message).value_or(local_);
    query.slice.iov_base = room_->answers[i].data();
    query.slice.iov_len = handler.handle(bytes, client, room_->answers[i]);
    if (query.slice.iov_len == 0 || query.slice.iov_len == Handler::kLater) continue;
    room_->messages[answers++].msg_hdr = message;
  }
  return answers;
}

}  // namespace weft::dns
