// client.h: who asks, and how.
#pragma once

#include <cstdint>

#include "net/address.h"

namespace weft::dns {

struct Client {
  IpAddress address = {};
  std::uint16_t port = 0;
  bool over_tcp = false;
  IpAddress local = {};       ///< of ours: where the query was sent to
  std::uint64_t channel = 0;  ///< the socket or connection that it came through, see Replies
};

}  // namespace weft::dns
