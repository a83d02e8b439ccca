// pipes.h: pipes that bytes go through on their way from one socket to another, without being
// copied (man 2 splice). Of one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "base/fd.h"

namespace weft::service {

struct Pipe {
  Fd out;  ///< to be read
  Fd in;   ///< to be written
};

/// Making a pipe costs more than a short connection has to send, so empty ones are kept.
class Pipes {
 public:
  /// Nothing when there is no descriptor left.
  std::optional<Pipe> take();
  /// An empty one.
  void give(Pipe pipe) {
    if (idle_.size() < kMostIdle) idle_.push_back(std::move(pipe));
  }

  /// So much fits into each.
  static constexpr std::size_t kRoom = 256U << 10U;

 private:
  static constexpr std::size_t kMostIdle = 64;
  std::vector<Pipe> idle_;
};

}  // namespace weft::service
