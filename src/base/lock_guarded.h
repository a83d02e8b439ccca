// lock_guarded.h: a value that can be reached only while its lock is held.
#pragma once

#include <mutex>
#include <utility>

namespace weft {

template <class T>
class LockGuarded {
 public:
  LockGuarded() = default;
  explicit LockGuarded(T value) : value_(std::move(value)) {}

  /// Calls `use` with the value while the lock is held; hands back what it returns. `use`
  /// must not do I/O and must not let the reference escape.
  template <class Use>
  auto with(Use&& use) {
    std::lock_guard lock(mutex_);
    return std::forward<Use>(use)(value_);
  }
  template <class Use>
  auto with(Use&& use) const {
    std::lock_guard lock(mutex_);
    return std::forward<Use>(use)(value_);
  }

  T copy() const {
    std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace weft
