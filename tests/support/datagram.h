// datagram.h: whether a packet gets from one node or pod of a test to another.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cstring>

#include "support/segment.h"

namespace weft::test {

/// One datagram from an address of one node to an address of another; true when it arrived.
inline bool datagram_arrives(Node& from, const IpAddress& source, Node& to,
                             const IpAddress& target) {
  const bool v4 = target.is_v4();
  const auto address = [v4](const IpAddress& of, std::uint16_t port) {
    sockaddr_storage result{};
    if (v4) {
      const sockaddr_in plain{.sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr = {htonl(of.v4_number())},
                              .sin_zero = {}};
      std::memcpy(&result, &plain, sizeof plain);
    } else {
      sockaddr_in6 plain{};
      plain.sin6_family = AF_INET6;
      plain.sin6_port = htons(port);
      std::memcpy(&plain.sin6_addr, of.bytes().data(), of.bytes().size());
      std::memcpy(&result, &plain, sizeof plain);
    }
    return result;
  };
  constexpr std::uint16_t kPort = 9000;
  // Not to be inherited by what an agent of this test starts, which would hold the port.
  const auto open = [v4] {
    return ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  };
  Fd receiver(to.in(open));
  Fd sender(from.in(open));
  const timeval limit{.tv_sec = 0, .tv_usec = 500'000};
  ::setsockopt(receiver.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const auto here = address(source, 0);
  const auto there = address(target, kPort);
  EXPECT_EQ(::bind(receiver.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there), 0);
  EXPECT_EQ(::bind(sender.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
  ::sendto(sender.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&there), sizeof there);
  char byte = 0;
  return ::recv(receiver.get(), &byte, 1, 0) == 1;
}

}  // namespace weft::test
