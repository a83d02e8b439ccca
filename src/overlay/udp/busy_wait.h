// busy_wait.h: when a worker looks for the next packet instead of sleeping until it comes.
//
// Waking a thread on an idle CPU takes tens of microseconds, more than all else that the tunnel
// does to a packet, and a request with its answer wakes four of them. So where packets follow each
// other closely, a worker goes on looking for a moment. It has to pay: a look in vain doubles the
// close packets that must be seen before the next one, a look that finds halves them. A trickle of
// packets, or a request now and then, so costs no time of a CPU. Pure.
#pragma once

#include <algorithm>
#include <chrono>

namespace weft::overlay::udp {

class BusyWait {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Longer than a round trip between two nodes of one network.
  static constexpr std::chrono::microseconds kLook{200};
  /// How close packets are that make looking worth a try: with the time to wake up.
  static constexpr std::chrono::microseconds kClose{400};
  static constexpr unsigned kMostNeeded = 1024;

  /// Packets have come.
  void came(Time now) {
    if (looking_) needed_ = std::max(needed_ / 2, 1U);
    close_ = now - last_ <= kClose ? std::min(close_ + 1, kMostNeeded) : 0;
    last_ = now;
    looking_ = close_ >= needed_;
  }

  /// Whether to look once more, rather than to sleep.
  bool looks(Time now) {
    if (looking_ && now - last_ > kLook) {
      looking_ = false;
      close_ = 0;
      needed_ = std::min(needed_ * 2, kMostNeeded);
    }
    return looking_;
  }

 private:
  Time last_{};
  unsigned close_ = 0;   // packets in a row that came close to the one before
  unsigned needed_ = 1;  // so many of them before looking
  bool looking_ = false;
};

}  // namespace weft::overlay::udp
