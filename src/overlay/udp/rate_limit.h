// rate_limit.h: so many a second, and so many at once (a token bucket).
#pragma once

#include <algorithm>
#include <chrono>

namespace weft::overlay::udp {

/// Lives on one thread.
class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;
  RateLimiter(double a_second, double at_once)
      : a_second_(a_second), most_(at_once), tokens_(at_once) {}

  bool allows(Clock::time_point now) {
    tokens_ =
        std::min(most_, tokens_ + std::chrono::duration<double>(now - last_).count() * a_second_);
    last_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  const double a_second_;
  const double most_;
  double tokens_;
  Clock::time_point last_{};
};

}  // namespace weft::overlay::udp
