// listen_address.h: where a server listens.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "net/address.h"

namespace weft::dns {

struct ListenAddress {
  IpAddress address = {};
  std::uint16_t port = 53;

  /// "10.0.0.1:53", "[::]:53"
  std::string to_string() const {
    const std::string host = address.to_string();
    return (address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
  }
  auto operator<=>(const ListenAddress&) const = default;
};

}  // namespace weft::dns
