// byte_lane.h: one direction of a relayed TCP connection: what one socket says, the other one is to
// hear.
//
// Little is carried through the thread's own buffer, which takes two calls. A lane that has much to
// carry gets a pipe, through which the kernel moves pages instead of copying them. What the
// receiver does not take yet waits in the pipe: a lane holds no memory of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "service/relay/pipes.h"

namespace weft::service {

class ByteLane {
 public:
  enum class Step : std::uint8_t {
    kWait,    ///< until one of the sockets has something new
    kAgain,   ///< there may be more to do; others should have their turn first
    kDone,    ///< the sender has ended, and the receiver knows
    kBroken,  ///< one of the two is gone
  };

  /// Does what can be done without waiting. `buffer` is the thread's.
  Step advance(int from, int to, std::span<char> buffer, Pipes& pipes);
  bool done() const { return done_; }
  /// Before the end: gives an empty pipe back.
  void release(Pipes& pipes);

 private:
  enum class Moved : std::uint8_t { kSome, kNothing, kEnd, kBroken };

  Moved fill(int from, int to, std::span<char> buffer, Pipes& pipes);
  Moved copy(int from, int to, std::span<char> buffer, Pipes& pipes);
  Moved drain(int to);
  bool keep(std::span<const char> rest, Pipes& pipes);

  std::optional<Pipe> pipe_ = {};
  std::size_t waiting_ = 0;  // in the pipe
  bool busy_ = false;        // the last copy filled the whole buffer
  bool ended_ = false;
  bool done_ = false;
};

}  // namespace weft::service
