// traffic.h: pods, and packets between them whose every byte is looked at.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/fd.h"
#include "kernel/sysctl.h"
#include "support/segment.h"
#include "support/uninterrupted.h"

namespace weft::test {

/// A pod: a namespace with one address, behind a node that forwards for it.
struct Pod {
  kernel::Netns netns;
  IpAddress address;
};

/// The tenth address of the node's subnet; the node gets the first, as from the bridge plugin.
inline std::unique_ptr<Pod> add_pod(Node& node, const Prefix& subnet, std::uint32_t mtu) {
  auto pod =
      std::make_unique<Pod>(Pod{must(kernel::Netns::create()), subnet.address().plus(10).value()});
  const IpAddress gateway = subnet.address().plus(1).value();
  node.in([&] { must(kernel::write_sysctl("net/ipv4/ip_forward", "1")); });
  must(node.rtnetlink().create(
      {.name = "pod0",
       .kind = "veth",
       .mtu = mtu,
       .up = true,
       .peer = kernel::VethPeer{.name = "eth0", .mtu = mtu, .netns_fd = pod->netns.fd()}}));
  must(node.rtnetlink().add(
      {.key = {.link = node.link("pod0").index, .address = {gateway, subnet.length()}}}));
  auto inner = open_rtnetlink(pod->netns);
  const LinkIndex eth0 = must(inner.link("eth0")).value().index;
  must(inner.change(eth0, {.up = true}));
  must(inner.add({.key = {.link = eth0, .address = {pod->address, subnet.length()}}}));
  must(inner.put({.key = {}, .hops = {{.gateway = gateway, .link = eth0}}}));
  return pod;
}

inline sockaddr_in at(const IpAddress& address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = htonl(address.v4_number());
  return result;
}

/// A socket in a namespace, bound there, that gives up waiting after `limit`.
inline Fd open_socket(const kernel::Netns& netns, int type, const IpAddress& address,
                      std::uint16_t port,
                      std::chrono::milliseconds limit = std::chrono::seconds(30)) {
  Fd fd = inside(netns, [&] { return Fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0)); });
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const timeval time{.tv_sec = limit.count() / 1000, .tv_usec = limit.count() % 1000 * 1000};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  const sockaddr_in here = at(address, port);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
  return fd;
}

/// Both ends of a TCP connection between two pods; empty ends when there was none in time.
struct Connection {
  Fd client = {};
  Fd server = {};
};

/// A Service by which a pod is reached.
struct Front {
  IpAddress address;
  std::uint16_t port = 0;
  std::uint16_t behind = 0;  ///< the pod's port
};

/// Through `front`, or straight to a port of the pod.
inline Connection open_connection(const Pod& from, const Pod& to,
                                  const std::optional<Front>& front = {}) {
  constexpr std::uint16_t kPort = 5000;
  const Fd listener = open_socket(to.netns, SOCK_STREAM, to.address, front ? front->behind : kPort);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  Connection connection{.client = open_socket(from.netns, SOCK_STREAM, from.address, 0)};
  const sockaddr_in there = front ? at(front->address, front->port) : at(to.address, kPort);
  const int connected = uninterrupted([&] {
    return ::connect(connection.client.get(), reinterpret_cast<const sockaddr*>(&there),
                     sizeof there);
  });
  // Called again it may find that it has succeeded meanwhile.
  if (connected == 0 || errno == EISCONN)
    connection.server = Fd(
        uninterrupted([&] { return ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC); }));
  return connection;
}

/// Bytes that are the same at no two places near each other.
inline std::vector<std::uint8_t> noise(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  std::uint32_t state = 1;
  for (auto& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(state >> 24U);
  }
  return bytes;
}

/// Sends `size` bytes along a connection and compares what arrives; how many arrived right.
inline std::size_t pump(const Fd& from, const Fd& to, std::size_t size) {
  static const std::vector<std::uint8_t> kBlock = noise(1'000'003);
  std::jthread sender([&] {
    for (std::size_t sent = 0; sent < size;) {
      const std::size_t place = sent % kBlock.size();
      const ssize_t taken = uninterrupted([&] {
        return ::send(from.get(), &kBlock[place], std::min(size - sent, kBlock.size() - place),
                      MSG_NOSIGNAL);
      });
      if (taken <= 0) return;
      sent += static_cast<std::size_t>(taken);
    }
  });
  std::vector<std::uint8_t> buffer(1 << 18);
  std::size_t right = 0;
  while (right < size) {
    const std::size_t place = right % kBlock.size();
    const ssize_t taken = uninterrupted([&] {
      return ::recv(to.get(), buffer.data(), std::min(buffer.size(), kBlock.size() - place), 0);
    });
    if (taken <= 0) break;
    if (!std::equal(buffer.begin(), buffer.begin() + taken,
                    kBlock.begin() + static_cast<std::ptrdiff_t>(place)))
      break;
    right += static_cast<std::size_t>(taken);
  }
  ::shutdown(to.get(), right < size ? SHUT_RDWR : 0);
  return right;
}

/// A stream of `size` bytes from pod to pod, through `front` if there is one; true when all of it
/// arrived as it was.
inline bool streams(const Pod& from, const Pod& to, std::size_t size,
                    const std::optional<Front>& front = {}) {
  const Connection connection = open_connection(from, to, front);
  return !connection.server.empty() && pump(connection.client, connection.server, size) == size;
}

/// One datagram of `size` bytes from pod to pod; true when it arrived as it was.
inline bool datagram_arrives(const Pod& from, const Pod& to, std::size_t size,
                             std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  constexpr std::uint16_t kPort = 5001;
  const Fd receiver = open_socket(to.netns, SOCK_DGRAM, to.address, kPort, limit);
  const Fd sender = open_socket(from.netns, SOCK_DGRAM, from.address, 0);
  const auto bytes = noise(size);
  const sockaddr_in there = at(to.address, kPort);
  EXPECT_EQ(::sendto(sender.get(), bytes.data(), size, 0, reinterpret_cast<const sockaddr*>(&there),
                     sizeof there),
            static_cast<ssize_t>(size));
  std::vector<std::uint8_t> buffer(65536);
  const ssize_t taken =
      uninterrupted([&] { return ::recv(receiver.get(), buffer.data(), buffer.size(), 0); });
  return taken == static_cast<ssize_t>(size) &&
         std::equal(bytes.begin(), bytes.end(), buffer.begin());
}

}  // namespace weft::test
