#include "kernel/udp_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "net/address.h"

namespace weft::kernel {
namespace {

// A receive takes up to so many messages, and each may hold 64 KB. When they do, a few at a time
// are as cheap, and what has been read is still in the processor's cache when it is written on.
constexpr std::size_t kReceives = 32;
constexpr std::size_t kLargeReceives = 2;
constexpr std::size_t kLargestMessage = 65536;
constexpr std::size_t kLargeMessage = 16384;

// Room for a burst of super-packets while the thread is elsewhere.
constexpr int kSocketBuffer = 4 << 20;

sockaddr_in to_sockaddr(const UdpAddress& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  address.sin_addr.s_addr = htonl(endpoint.address);
  return address;
}

// Room for one control message with one number.
template <class Number>
struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(Number))> bytes;
};

void set_option(const Fd& fd, int level, int option, int value) {
  (void)::setsockopt(fd.get(), level, option, &value, sizeof value);
}

std::string describe(const UdpAddress& endpoint) {
  return "UDP " + IpAddress::v4(endpoint.address).to_string() + ":" + std::to_string(endpoint.port);
}

// UDP_SEGMENT as a control message: how large each datagram of the message is.
void ask_segments(msghdr& header, Control<std::uint16_t>& control, std::uint16_t size) {
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  cmsghdr* message = CMSG_FIRSTHDR(&header);
  message->cmsg_level = SOL_UDP;
  message->cmsg_type = UDP_SEGMENT;
  message->cmsg_len = CMSG_LEN(sizeof size);
  std::memcpy(CMSG_DATA(message), &size, sizeof size);
}

// How large each datagram of a received message is: as large as the message, unless the kernel
// says that it has joined several.
std::uint16_t datagram_size(msghdr& header, std::size_t bytes) {
  for (cmsghdr* message = CMSG_FIRSTHDR(&header); message != nullptr;
       message = CMSG_NXTHDR(&header, message)) {
    if (message->cmsg_level != SOL_UDP || message->cmsg_type != UDP_GRO) continue;
    int size = 0;
    std::memcpy(&size, CMSG_DATA(message), sizeof size);
    if (size > 0 && static_cast<std::size_t>(size) < bytes) return static_cast<std::uint16_t>(size);
  }
  return static_cast<std::uint16_t>(bytes);
}

Result<Fd> bind_to(const UdpAddress& local, bool shared) {
  const std::string tried = "opening " + describe(local);
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.empty()) return fail_errno(tried);
  if (shared) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  const sockaddr_in address = to_sockaddr(local);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return fail_errno(
        tried, errno,
        errno == EADDRINUSE ? "another program has the port: is flanneld running?" : "");
  // Beyond rmem_max where we may; a kernel without one of these is slower, not wrong.
  set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kSocketBuffer);
  set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, kSocketBuffer);
  set_option(fd, SOL_UDP, UDP_GRO, 1);
  return fd;
}

}  // namespace

struct UdpSocket::Room {
  std::array<mmsghdr, kMostMessages> sends{};
  std::array<sockaddr_in, kMostMessages> receivers{};
  std::array<Control<std::uint16_t>, kMostMessages> segment_sizes{};
  std::array<mmsghdr, kReceives> receives{};
  std::array<iovec, kReceives> places{};
  std::array<sockaddr_in, kReceives> senders{};
  std::array<Control<int>, kReceives> joined{};
  std::array<ReceivedDatagrams, kReceives> received{};
  std::size_t wanted = kReceives;  // messages of the next receive
  // Not initialised, so that only what the kernel fills becomes memory.
  std::unique_ptr<std::uint8_t[]> bytes{new std::uint8_t[kReceives * kLargestMessage]};
};

UdpSocket::UdpSocket(Fd fd, std::unique_ptr<Room> room)
    : fd_(std::move(fd)), room_(std::move(room)) {}
UdpSocket::UdpSocket(UdpSocket&&) noexcept = default;
UdpSocket::~UdpSocket() = default;

Result<UdpSocket> UdpSocket::open(const UdpAddress& local) {
  ASSIGN_OR_RETURN(Fd fd, bind_to(local, false));
  return UdpSocket(std::move(fd), std::make_unique<Room>());
}

// The first socket binds alone, so that a port which somebody else shares is refused; the kernel
// lets it become sharable afterwards.
Result<UdpSocket> UdpSocket::join(UdpSocket& first, const UdpAddress& local) {
  set_option(first.fd_, SOL_SOCKET, SO_REUSEPORT, 1);
  ASSIGN_OR_RETURN(Fd fd, bind_to(local, true));
  return UdpSocket(std::move(fd), std::make_unique<Room>());
}

UdpSocket::Sent UdpSocket::send(std::span<const Datagrams> messages) {
  const std::size_t count = std::min(messages.size(), kMostMessages);
  for (std::size_t i = 0; i < count; ++i) {
    const Datagrams& message = messages[i];
    room_->receivers[i] = to_sockaddr(message.to);
    msghdr& header = room_->sends[i].msg_hdr;
    header = {};
    header.msg_name = &room_->receivers[i];
    header.msg_namelen = sizeof room_->receivers[i];
    header.msg_iov = message.slices.data();
    header.msg_iovlen = message.slices.size();
    if (message.count > 1) ask_segments(header, room_->segment_sizes[i], message.datagram_size);
  }
  Sent sent;
  while (sent.messages < count) {
    const int taken = ::sendmmsg(fd_.get(), &room_->sends[sent.messages],
                                 static_cast<unsigned>(count - sent.messages), 0);
    // It says why only when the very first of a call has failed.
    if (taken < 0 && errno == EINTR) continue;
    if (taken < 0) {
      sent.error = errno;
      break;
    }
    sent.messages += static_cast<std::size_t>(taken);
  }
  return sent;
}

std::span<const ReceivedDatagrams> UdpSocket::receive() {
  for (std::size_t i = 0; i < room_->wanted; ++i) {
    room_->places[i] = {.iov_base = &room_->bytes[i * kLargestMessage], .iov_len = kLargestMessage};
    msghdr& header = room_->receives[i].msg_hdr;
    header.msg_name = &room_->senders[i];
    header.msg_namelen = sizeof room_->senders[i];
    header.msg_iov = &room_->places[i];
    header.msg_iovlen = 1;
    header.msg_control = room_->joined[i].bytes.data();
    header.msg_controllen = room_->joined[i].bytes.size();
  }
  const int count = ::recvmmsg(fd_.get(), room_->receives.data(),
                               static_cast<unsigned>(room_->wanted), 0, nullptr);
  // Nothing there, or an ICMP error about a datagram of ours: neither is a datagram.
  if (count <= 0) return {};
  room_->wanted = room_->receives[0].msg_len < kLargeMessage ? kReceives : kLargeReceives;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const std::size_t size = room_->receives[i].msg_len;
    room_->received[i] = {.from = {.address = ntohl(room_->senders[i].sin_addr.s_addr),
                                   .port = ntohs(room_->senders[i].sin_port)},
                          .bytes = {&room_->bytes[i * kLargestMessage], size},
                          .datagram_size = datagram_size(room_->receives[i].msg_hdr, size)};
  }
  return {room_->received.data(), static_cast<std::size_t>(count)};
}

std::uint32_t UdpSocket::path_mtu(const UdpAddress& to) {
  const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = to_sockaddr(to);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return 0;
  int mtu = 0;
  socklen_t size = sizeof mtu;
  if (::getsockopt(fd.get(), IPPROTO_IP, IP_MTU, &mtu, &size) < 0) return 0;
  return static_cast<std::uint32_t>(mtu);
}

}  // namespace weft::kernel
