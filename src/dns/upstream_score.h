// upstream_score.h: how well an upstream answers: its round-trip time, smoothed as TCP does (RFC
// 6298), and the share of queries that it fails. Pure; of one worker.
#pragma once

#include <algorithm>
#include <chrono>

namespace weft::dns {

class UpstreamScore {
 public:
  using Microseconds = std::chrono::duration<double, std::micro>;

  void answered(Microseconds time) {
    if (!known_) {
      mean_ = time;
      deviation_ = time / 2;
    } else {
      deviation_ += (std::max(mean_, time) - std::min(mean_, time) - deviation_) / 4;
      mean_ += (time - mean_) / 8;
    }
    known_ = true;
    errors_ -= errors_ * kWeight;
    fails_ = 0;
  }
  /// It has said that it cannot (SERVFAIL): it lives, but it is of little use.
  void disappointed() { errors_ += (1 - errors_) * kWeight; }
  /// It has not answered, or another one that was asked later has been quicker.
  void failed() {
    disappointed();
    ++fails_;
  }
  /// A health check was answered.
  void revived() { fails_ = 0; }

  /// Failures in a row.
  unsigned fails() const { return fails_; }
  /// The share of queries that failed lately: 0 to 1.
  double error_rate() const { return errors_; }
  Microseconds mean() const { return mean_; }
  /// What a query to it is likely to cost.
  Microseconds cost() const { return mean_ + errors_ * kErrorCost; }
  /// When to ask another as well: hardly any answer takes longer.
  std::chrono::milliseconds patience() const {
    using std::chrono::milliseconds;
    constexpr milliseconds kLeast{50};
    constexpr milliseconds kMost{400};
    if (!known_) return kMost;
    return std::clamp(std::chrono::duration_cast<milliseconds>(mean_ + deviation_ * 4), kLeast,
                      kMost);
  }

 private:
  static constexpr double kWeight = 0.125;
  static constexpr Microseconds kErrorCost{1'000'000};

  bool known_ = false;
  // Before the first answer it is expected to be quick, so that it is tried.
  Microseconds mean_{0};
  Microseconds deviation_{0};
  double errors_ = 0;
  unsigned fails_ = 0;
};

}  // namespace weft::dns
