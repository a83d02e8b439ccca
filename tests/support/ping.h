// ping.h: one ICMP echo, asked from a namespace.
#pragma once

#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "base/fd.h"
#include "kernel/sysctl.h"
#include "support/segment.h"
#include "support/uninterrupted.h"

namespace weft::test {

/// As `ping -c 1 -I FROM TO`, and with a device: as `ping -c 1 -I DEVICE TO`. Whether the answer
/// came within a second.
inline bool pings(const kernel::Netns& netns, const IpAddress& from, const IpAddress& to,
                  const std::string& device = "") {
  const bool v4 = to.family() == Family::kIpv4;
  const auto sockaddr_of = [&](const IpAddress& address) {
    sockaddr_storage result{};
    result.ss_family = static_cast<sa_family_t>(v4 ? AF_INET : AF_INET6);
    char* const place =
        v4 ? reinterpret_cast<char*>(&reinterpret_cast<sockaddr_in*>(&result)->sin_addr)
           : reinterpret_cast<char*>(&reinterpret_cast<sockaddr_in6*>(&result)->sin6_addr);
    std::copy(address.bytes().begin(), address.bytes().end(), place);
    return result;
  };
  const Fd socket = inside(netns, [&] {
    must(kernel::write_sysctl("net/ipv4/ping_group_range", "0 2147483647"));
    return Fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC,
                       v4 ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6)));
  });
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (!device.empty())
    ::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                 static_cast<socklen_t>(device.size()));
  const auto here = sockaddr_of(from);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0)
    return false;
  constexpr std::uint8_t kEchoRequestV6 = 128;  // RFC 4443
  std::array<std::uint8_t, 16> echo{v4 ? std::uint8_t{ICMP_ECHO} : kEchoRequestV6};
  const auto there = sockaddr_of(to);
  if (::sendto(socket.get(), echo.data(), echo.size(), 0, reinterpret_cast<const sockaddr*>(&there),
               sizeof there) < 0)
    return false;
  return uninterrupted([&] { return ::recv(socket.get(), echo.data(), echo.size(), 0); }) ==
         static_cast<ssize_t>(echo.size());
}

}  // namespace weft::test
