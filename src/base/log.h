// log.h: the log of a daemon.
//
// One line an edit, the object first: `route 10.244.2.0/24 via flannel.1: put (missing)`.
// error = needs a person, warn = something is odd, info = the node changed, debug = messages
// on the wire. A converged node logs nothing.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include <spdlog/spdlog.h>

#include "base/lock_guarded.h"

namespace weft {

enum class LogFormat { kText, kJson };
/// Whether a line says whose thread has written it (thread_name.h).
enum class LogThreads { kUnnamed, kNamed };

/// Sends the default logger to standard error in the given form.
void set_up_log(LogFormat format, spdlog::level::level_enum level,
                LogThreads threads = LogThreads::kUnnamed);

/// Lets a line through when its key has not been seen for `pause`: the same trouble, met on
/// every pass, is told once and then now and again. Safe from any thread.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;
  explicit RateLimit(std::chrono::seconds pause) : pause_(pause) {}

  bool allows(const std::string& key, Clock::time_point now = Clock::now());
  /// Forgets a key, so that its next line passes at once: the trouble was over in between.
  void forget(const std::string& key);

 private:
  std::chrono::seconds pause_;
  LockGuarded<std::map<std::string, Clock::time_point>> seen_;
};

}  // namespace weft
