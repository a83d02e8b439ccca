#include "kernel/icmp_sender.h"

#include <arpa/inet.h>
#include <linux/icmp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <utility>

namespace weft::kernel {
namespace {

sockaddr_in host(std::uint32_t address) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(address);
  return result;
}

}  // namespace

Result<IcmpSender> IcmpSender::open(const IpAddress& source) {
  const std::string tried = "opening a raw ICMP socket at " + source.to_string();
  Fd fd(::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP));
  if (fd.empty()) return fail_errno(tried, errno, "the daemon needs CAP_NET_RAW");
  // A raw socket is given every ICMP message that arrives, unless it wants none.
  const icmp_filter none{.data = ~0U};
  (void)::setsockopt(fd.get(), SOL_RAW, ICMP_FILTER, &none, sizeof none);
  const int yes = 1;
  (void)::setsockopt(fd.get(), IPPROTO_IP, IP_FREEBIND, &yes, sizeof yes);
  const sockaddr_in address = host(source.v4_number());
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return fail_errno(tried);
  return IcmpSender(std::move(fd));
}

void IcmpSender::send(std::uint32_t to, std::span<const std::uint8_t> message) const {
  const sockaddr_in address = host(to);
  (void)::sendto(fd_.get(), message.data(), message.size(), 0,
                 reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace weft::kernel
