// health.h: how something is, told by the thread that works at it, read by any other.
#pragma once

#include <utility>

#include "base/lock_guarded.h"
#include "base/result.h"

namespace weft {

class Health {
 public:
  Health() = default;
  explicit Health(Error before_all) : status_(Status(Failure(std::move(before_all)))) {}

  /// False when it was the same already, by its words.
  bool set(Status status) {
    return status_.with([&](Status& current) {
      const bool same = current.has_value() == status.has_value() &&
                        (current || current.error().text() == status.error().text());
      current = std::move(status);
      return !same;
    });
  }
  Status get() const { return status_.copy(); }

 private:
  LockGuarded<Status> status_;
};

}  // namespace weft
