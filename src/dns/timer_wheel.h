// timer_wheel.h: one timer for each place of a table, in constant time and fixed memory. Pure: the
// time is given.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace weft::dns {

class TimerWheel {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Id = std::uint32_t;
  static constexpr std::chrono::milliseconds kTick{10};
  TimerWheel(std::uint32_t places, Time now)
      : slots_(kSlots, kNone), links_(places), now_(tick_of(now)) {}

  /// Replaces the place's timer. It is due a tick later than now at the soonest, and ten seconds
  /// later at the latest.
  void set(Id id, Time when, Time now) {
    clear(id);
    if (size_ == 0) now_ = tick_of(now);
    const std::uint64_t tick = std::clamp(tick_of(when) + 1, now_ + 1, now_ + kSlots - 1);
    Link& link = links_[id];
    link.slot = static_cast<std::uint32_t>(tick % kSlots);
    link.next = slots_[link.slot];
    link.previous = kNone;
    if (link.next != kNone) links_[link.next].previous = id;
    slots_[link.slot] = id;
    ++size_;
  }
  void clear(Id id) {
    Link& link = links_[id];
    if (link.slot == kNone) return;
    if (link.next != kNone) links_[link.next].previous = link.previous;
    if (link.previous != kNone)
      links_[link.previous].next = link.next;
    else
      slots_[link.slot] = link.next;
    link.slot = kNone;
    --size_;
  }

  /// Clears what is due by now and calls `use` for each, which may set and clear any.
  template <class Use>
  void advance(Time now, Use use) {
    const std::uint64_t until = tick_of(now);
    // After a pause longer than the wheel each slot is looked at once.
    if (until > now_ + kSlots) now_ = until - kSlots;
    while (now_ < until) {
      ++now_;
      Id& first = slots_[now_ % kSlots];
      while (first != kNone) {
        const Id id = first;
        clear(id);
        use(id);
      }
    }
  }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr std::uint64_t kSlots = 1024;
  struct Link {
    std::uint32_t slot = kNone;
    Id next = kNone;
    Id previous = kNone;
  };
  static std::uint64_t tick_of(Time time) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()) / kTick);
  }

  std::vector<Id> slots_;
  std::vector<Link> links_;
  std::uint64_t now_;
  std::size_t size_ = 0;
};

}  // namespace weft::dns
