// part_keeper.h: keeps one part of a process running.
//
// Theory of operation. A thread runs the part. When the part gives up, whatever the reason, it is
// told in the log and run again after a while: at once where it had run for long, and later with
// each time that it did not. The other parts have no part in that.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/lock_guarded.h"
#include "base/log.h"
#include "node/part.h"

namespace weft::node {

class PartKeeper {
 public:
  struct State {
    bool was_ready = false;  ///< once ready, always
    /// Why it does not run just now; nothing: it does.
    std::optional<std::string> trouble = {};
  };

  /// Starts at once. `changed` is called when the state has changed, on a thread of the part's.
  PartKeeper(Part part, std::function<void()> changed);
  PartKeeper(const PartKeeper&) = delete;
  PartKeeper& operator=(const PartKeeper&) = delete;
  ~PartKeeper();

  const std::string& name() const { return part_.name; }
  State state() const { return state_.copy(); }

  /// Asks the part to end. Does not wait.
  void stop() { thread_.request_stop(); }
  /// Waits for that. What the part has ended with after it was asked to.
  Status ended();

 private:
  void run(const std::stop_token& stop);
  void set_ready();
  void set_trouble(std::optional<std::string> trouble);

  const Part part_;
  const std::function<void()> changed_;
  RateLimit told_{std::chrono::minutes(1)};
  LockGuarded<State> state_;
  Status end_;           // of the thread
  std::jthread thread_;  // last, so that it is joined before the rest is gone
};

}  // namespace weft::node
