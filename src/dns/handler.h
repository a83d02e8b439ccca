// handler.h: what answers queries, whatever brings them.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "dns/client.h"

namespace weft::dns {

/// Of one worker thread alone, so that it needs no lock.
class Handler {
 public:
  virtual ~Handler() = default;
  /// Writes the answer to a message into `room` and returns its size; 0 when there shall be none.
  /// REQUIRES room for kUdpSize bytes, over TCP for kLargestMessage.
  virtual std::size_t handle(std::string_view message, const Client& client,
                             std::span<char> room) = 0;
};

}  // namespace weft::dns
