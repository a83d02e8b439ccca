// quarrel.h: telling a quarrel from repairs.
//
// Two programs that take the same object for their own undo each other's work as fast as they
// can: every edit of the one wakes the other. What follows an edit of ours is a pass that finds
// all right, so passes say nothing; only time does.
#pragma once

#include <chrono>

namespace weft::overlay {

/// Of one thread; the clock is the caller's.
class Quarrel {
 public:
  using Time = std::chrono::steady_clock::time_point;

  enum class Verdict {
    kRepair,  ///< go on at once
    kOpens,   ///< the repair that makes it a quarrel: worth a line
    kGoesOn,  ///< and another one
  };

  /// A pass has put something back.
  Verdict repaired(Time now);

  /// How long to rest after such a repair.
  static std::chrono::milliseconds rest(Verdict verdict);

 private:
  Time last_{};
  unsigned repairs_ = 0;  // none of them long after the one before
};

}  // namespace weft::overlay
