#include "matrix/icmp_socket.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string_view>

#include "kernel/socket_address.h"

namespace weft::matrix {
namespace {

// The echo header is the same in both: type, code, checksum, id, sequence.
constexpr std::size_t kEchoHeader = sizeof(icmphdr);

std::uint16_t next_id() {
  static std::atomic<unsigned> counter{0};
  return static_cast<std::uint16_t>(static_cast<unsigned>(::getpid()) * 131U +
                                    counter.fetch_add(1));
}

// RFC 1071. For IPv6 the kernel does it.
std::uint16_t checksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (i % 2 == 0 ? 8 : 0);
  while (sum >> 16U != 0) sum = (sum & 0xffffU) + (sum >> 16U);
  return htons(static_cast<std::uint16_t>(~sum));
}

std::uint16_t word_at(std::string_view bytes, std::size_t offset) {
  std::uint16_t word = 0;
  std::memcpy(&word, bytes.data() + offset, sizeof word);
  return ntohs(word);
}

const char* unreachable_v4(std::uint8_t code) {
  switch (code) {
    case ICMP_NET_UNREACH:
      return "network unreachable";
    case ICMP_HOST_UNREACH:
      return "host unreachable";
    case ICMP_FRAG_NEEDED:
      return "packet too big";
    case ICMP_NET_ANO:
    case ICMP_HOST_ANO:
    case ICMP_PKT_FILTERED:
      return "administratively prohibited";
    default:
      return "destination unreachable";
  }
}

// What an ICMP error says, and the echo request it is about; nothing for other messages.
struct ErrorMessage {
  std::string words;
  std::string_view request;
};

std::optional<ErrorMessage> read_error_v4(std::string_view message) {
  const auto type = static_cast<std::uint8_t>(message[0]);
  if (type != ICMP_DEST_UNREACH && type != ICMP_TIME_EXCEEDED) return std::nullopt;
  if (message.size() < kEchoHeader + sizeof(iphdr)) return std::nullopt;
  const std::string_view packet = message.substr(kEchoHeader);
  const std::size_t header = (static_cast<unsigned char>(packet[0]) & 0xfU) * 4U;
  if (packet.size() < header + kEchoHeader) return std::nullopt;
  const std::string words = type == ICMP_TIME_EXCEEDED
                                ? "time to live exceeded"
                                : unreachable_v4(static_cast<std::uint8_t>(message[1]));
  return ErrorMessage{.words = words, .request = packet.substr(header)};
}

std::optional<ErrorMessage> read_error_v6(std::string_view message) {
  const auto type = static_cast<std::uint8_t>(message[0]);
  if (type != ICMP6_DST_UNREACH && type != ICMP6_PACKET_TOO_BIG && type != ICMP6_TIME_EXCEEDED)
    return std::nullopt;
  if (message.size() < 2 * kEchoHeader + sizeof(ip6_hdr)) return std::nullopt;
  const std::string words = type == ICMP6_PACKET_TOO_BIG  ? "packet too big"
                            : type == ICMP6_TIME_EXCEEDED ? "hop limit exceeded"
                                                          : "destination unreachable";
  return ErrorMessage{.words = words, .request = message.substr(kEchoHeader + sizeof(ip6_hdr))};
}

int hop_limit_of(msghdr& message) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header))
    if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_HOPLIMIT) {
      int limit = 0;
      std::memcpy(&limit, CMSG_DATA(header), sizeof limit);
      return limit;
    }
  return 0;
}

}  // namespace

Result<IcmpSocket> IcmpSocket::open(Family family) {
  const bool v4 = family == Family::kIpv4;
  Fd fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                 v4 ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6)));
  if (fd.empty()) return fail_errno("opening an ICMP socket");
  const int on = 1;
  const int never_fragment = v4 ? IP_PMTUDISC_DO : IPV6_PMTUDISC_DO;
  ::setsockopt(fd.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
               &never_fragment, sizeof never_fragment);
  if (!v4) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
  // Answers of many targets come at once.
  const int room = 1 << 20;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  return IcmpSocket(std::move(fd), family, next_id());
}

Status IcmpSocket::send(const IpAddress& target, std::uint16_t sequence, std::uint32_t size) {
  const bool v4 = family_ == Family::kIpv4;
  const std::size_t outer = v4 ? sizeof(iphdr) : sizeof(ip6_hdr);
  std::string packet(std::max<std::size_t>(size, outer + kEchoHeader) - outer, 'w');
  icmphdr header{};
  header.type = v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
  header.un.echo.id = htons(id_);
  header.un.echo.sequence = htons(sequence);
  std::memcpy(packet.data(), &header, sizeof header);
  if (v4) {
    header.checksum = checksum(packet);
    std::memcpy(packet.data(), &header, sizeof header);
  }
  const kernel::SocketAddress to(target, 0);
  if (::sendto(fd_.get(), packet.data(), packet.size(), MSG_NOSIGNAL, to.get(), to.size) < 0)
    return fail_errno("sending to " + target.to_string());
  return {};
}

std::optional<EchoAnswer> IcmpSocket::receive() {
  const bool v4 = family_ == Family::kIpv4;
  // Foreign messages are skipped, but not for ever.
  for (int i = 0; i < 256; ++i) {
    char data[2048];
    alignas(cmsghdr) char control[128];
    kernel::SocketAddress from;
    iovec part{.iov_base = data, .iov_len = sizeof data};
    msghdr head{};
    head.msg_name = from.get();
    head.msg_namelen = from.size;
    head.msg_iov = &part;
    head.msg_iovlen = 1;
    head.msg_control = control;
    head.msg_controllen = sizeof control;
    const ssize_t got = ::recvmsg(fd_.get(), &head, 0);
    if (got < 0) return std::nullopt;
    std::string_view message(data, static_cast<std::size_t>(got));
    EchoAnswer answer;
    if (v4) {
      const std::size_t outer = (static_cast<unsigned char>(data[0]) & 0xfU) * 4U;
      if (message.size() < outer + kEchoHeader) continue;
      answer.ttl = static_cast<unsigned char>(data[offsetof(iphdr, ttl)]);
      message.remove_prefix(outer);
    } else {
      if (message.size() < kEchoHeader) continue;
      answer.ttl = hop_limit_of(head);
    }
    const auto type = static_cast<std::uint8_t>(message[0]);
    std::string_view about = message;
    if (type != (v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY)) {
      const auto error = v4 ? read_error_v4(message) : read_error_v6(message);
      if (!error) continue;
      about = error->request;
      answer.refusal = from.address().to_string() + " says: " + error->words;
    }
    if (word_at(about, offsetof(icmphdr, un.echo.id)) != id_) continue;
    answer.sequence = word_at(about, offsetof(icmphdr, un.echo.sequence));
    return answer;
  }
  return std::nullopt;
}

}  // namespace weft::matrix
