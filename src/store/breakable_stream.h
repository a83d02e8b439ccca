// breakable_stream.h: a stream that another thread may break off, so that it is opened anew.
#pragma once

#include <stop_token>

#include "base/lock_guarded.h"

namespace weft {

/// One stream at a time.
class BreakableStream {
 public:
  /// Runs `body` with a token that is stopped with `stop` and by break_off().
  template <class Body>
  auto run(const std::stop_token& stop, Body body) {
    std::stop_source source;
    const std::stop_callback with_its_owner(stop, [&source] { source.request_stop(); });
    current_.with([&](std::stop_source& current) { current = source; });
    return body(source.get_token());
  }

  /// Callable from any thread; nothing happens when no stream is open.
  void break_off() {
    current_.with([](std::stop_source& current) { current.request_stop(); });
  }

 private:
  LockGuarded<std::stop_source> current_;
};

}  // namespace weft
