#include "kernel/socket_address.h"

#include <netinet/in.h>

#include <cstring>

namespace weft::kernel {

int socket_family(const IpAddress& address) {
  return address.is_v4() ? AF_INET : AF_INET6;
}

SocketAddress::SocketAddress(const IpAddress& address, std::uint16_t port) {
  const std::string_view bytes = address.bytes();
  if (address.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
    size = sizeof v6;
  }
}

IpAddress SocketAddress::address() const {
  const bool v4 = storage.ss_family == AF_INET;
  const void* bytes =
      v4 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(storage).sin_addr)
         : &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
  return IpAddress::from_bytes({static_cast<const char*>(bytes), v4 ? 4U : 16U})
      .value_or(IpAddress());
}

std::uint16_t SocketAddress::port() const {
  return ntohs(storage.ss_family == AF_INET
                   ? reinterpret_cast<const sockaddr_in&>(storage).sin_port
                   : reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
}

}  // namespace weft::kernel
