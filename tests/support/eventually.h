// eventually.h: waiting for a condition instead of sleeping and hoping.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace weft::test {

/// Asks every 5 ms until it is so; false when it was not within `limit`.
inline bool eventually(const std::function<bool()>& is_so,
                       std::chrono::milliseconds limit = std::chrono::seconds(15)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace weft::test
