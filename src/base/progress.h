// progress.h: what is going on, one line a step, for a person who waits.
#pragma once

#include <cstdio>
#include <functional>
#include <mutex>
#include <string>

#include "base/marks.h"
#include "base/result.h"

namespace weft {

/// Writes whole lines; safe from any thread.
class Progress {
 public:
  /// `out` must outlive it.
  Progress(std::FILE* out, LineStyle style) : out_(out), style_(style) {}

  /// "MARK TEXT"
  void line(Mark mark, const std::string& text);

  /// Does the work and tells how it went: "✓ WHAT: DETAIL (0.12 s)", DETAIL being what the work
  /// gives back, or "✗ WHAT: REASON".
  Status step(const std::string& what, const std::function<Result<std::string>()>& work);

 private:
  std::FILE* out_;
  LineStyle style_;
  std::mutex mutex_;
};

}  // namespace weft
