// loop.h: the one thread that brings something back to where it should be.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace weft {

/// How long a Loop rests after a pass: until a nudge, but not longer than `longest` and not
/// shorter than `shortest`.
struct Rest {
  // NOLINTNEXTLINE(google-explicit-constructor): most passes only say how long at most.
  Rest(std::chrono::milliseconds at_most, std::chrono::milliseconds at_least = {})
      : longest(at_most), shortest(at_least) {}
  std::chrono::milliseconds longest;
  std::chrono::milliseconds shortest;
};

/// Once started, calls `pass` at once, then after every nudge, and in any case when the rest
/// that the last pass asked for is over (long once converged, short after a failure).
///
/// Nudges that arrive during a pass fold into one. A pass reads the world anew, so it must
/// learn that something changed but never what.
///
/// Stopping, or destroying, a Loop waits for the pass in progress and starts no other.
class Loop {
 public:
  using Pass = std::function<Rest()>;

  explicit Loop(Pass pass) : pass_(std::move(pass)) {}

  void start();
  void stop();

  /// Asks for another pass. Callable from any thread and at any time: from the pass itself,
  /// before the start, and to no effect after the stop.
  void nudge();

 private:
  void run(const std::stop_token& stop);

  Pass pass_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool nudged_ = false;  // guarded by mutex_
  std::jthread thread_;  // last, so that it is joined before the rest is gone
};

/// Waits until the time is over or `stop` is asked for; true when it is to go on.
bool pause(const std::stop_token& stop, std::chrono::milliseconds delay);

/// The delay before the next try after `failures` failures in a row: 100 ms doubling up
/// to 10 s, and `at_rest` when there was none.
std::chrono::milliseconds backoff(unsigned failures, std::chrono::milliseconds at_rest);

}  // namespace weft
