// socket_address.h: IP addresses as the socket calls take and give them.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "net/address.h"

namespace weft::kernel {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  SocketAddress() = default;
  SocketAddress(const IpAddress& address, std::uint16_t port);
  IpAddress address() const;
  std::uint16_t port() const;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// AF_INET or AF_INET6.
int socket_family(const IpAddress& address);

}  // namespace weft::kernel
