// published.h: an immutable value that one thread replaces now and then, and others read all the
// time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace weft {

template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> value) : value_(std::move(value)) {}

  void set(std::shared_ptr<const T> value) {
    {
      const std::lock_guard lock(mutex_);
      value_.swap(value);
    }
    version_.fetch_add(1, std::memory_order_release);
    // The former value ends here, outside of the lock, if no reader holds it.
  }
  std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

  /// One thread's view. As long as nothing is new, reading is one load of a number.
  class Reader {
   public:
    /// `source` must outlive it.
    explicit Reader(const Published& source) : source_(source) {}

    /// The present value, valid until the next call.
    const T& get() {
      const std::uint64_t version = source_.version_.load(std::memory_order_acquire);
      if (value_ == nullptr || version != version_) {
        value_ = source_.get();
        version_ = version;
      }
      return *value_;
    }

   private:
    const Published& source_;
    std::uint64_t version_ = 0;
    std::shared_ptr<const T> value_;
  };

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace weft
