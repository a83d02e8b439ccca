// datagram.h: whether a packet gets from one node or pod of a test to another.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "support/segment.h"
#include "support/uninterrupted.h"

namespace weft::test {

/// One datagram from an address of one node to an address of another; true when it arrived.
inline bool datagram_arrives(Node& from, const IpAddress& source, Node& to,
                             const IpAddress& target) {
  const bool v4 = target.is_v4();
  const auto address = [v4](const IpAddress& of) {
    sockaddr_storage result{};
    if (v4) {
      const sockaddr_in plain{.sin_family = AF_INET,
                              .sin_port = 0,
                              .sin_addr = {htonl(of.v4_number())},
                              .sin_zero = {}};
      std::memcpy(&result, &plain, sizeof plain);
    } else {
      sockaddr_in6 plain{};
      plain.sin6_family = AF_INET6;
      std::memcpy(&plain.sin6_addr, of.bytes().data(), of.bytes().size());
      std::memcpy(&result, &plain, sizeof plain);
    }
    return result;
  };
  const auto open = [v4] {
    return ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  };
  Fd receiver(to.in(open));
  Fd sender(from.in(open));
  const timeval limit{.tv_sec = 0, .tv_usec = 500'000};
  ::setsockopt(receiver.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  // A port of the kernel's choice: a fixed one may still be held by what an agent of this test
  // is about to execute, which has a copy of the last call's socket until then.
  const auto bind_to = [&](const Fd& socket, const IpAddress& own) {
    auto bound = address(own);
    socklen_t size = sizeof bound;
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&bound), size), 0)
        << own.to_string() << ": " << std::strerror(errno);
    EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
    return bound;
  };
  const sockaddr_storage there = bind_to(receiver, target);
  bind_to(sender, source);
  ::sendto(sender.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&there), sizeof there);
  char byte = 0;
  return uninterrupted([&] { return ::recv(receiver.get(), &byte, 1, 0); }) == 1;
}

}  // namespace weft::test
