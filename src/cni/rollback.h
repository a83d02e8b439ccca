// rollback.h: what an ADD that fails half-way must undo.
#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace weft::cni {

/// Undoes the steps, the last one first, unless keep() was called. An undo must not fail
/// loudly: the error that led to it is the one to be told.
class Rollback {
 public:
  Rollback() = default;
  Rollback(const Rollback&) = delete;
  Rollback& operator=(const Rollback&) = delete;
  ~Rollback() {
    while (!undo_.empty()) {
      undo_.back()();
      undo_.pop_back();
    }
  }

  void push(std::function<void()> undo) { undo_.push_back(std::move(undo)); }
  void keep() { undo_.clear(); }

 private:
  std::vector<std::function<void()>> undo_;
};

}  // namespace weft::cni
