// client.h: who asks, and how.
#pragma once

#include <cstdint>

#include "net/address.h"

namespace weft::dns {

struct Client {
  IpAddress address = {};
  std::uint16_t port = 0;
  bool over_tcp = false;
};

}  // namespace weft::dns
