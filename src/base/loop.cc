#include "base/loop.h"

#include <algorithm>
#include <utility>

namespace weft {

void Loop::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Loop::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Loop::nudge() {
  {
    std::lock_guard lock(mutex_);
    nudged_ = true;
  }
  changed_.notify_one();
}

void Loop::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Rest rest = pass_();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, rest.shortest, [] { return false; });
    changed_.wait_for(lock, stop, rest.longest - rest.shortest, [this] { return nudged_; });
    nudged_ = false;
  }
}

bool pause(const std::stop_token& stop, std::chrono::milliseconds delay) {
  // Nobody else knows the mutex: it is only what the condition variable's interface asks for.
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);  // cppcheck-suppress localMutex
  never.wait_for(lock, stop, delay, [] { return false; });
  return !stop.stop_requested();
}

std::chrono::milliseconds backoff(unsigned failures, std::chrono::milliseconds at_rest) {
  using std::chrono::milliseconds;
  if (failures == 0) return at_rest;
  const milliseconds delay(100 << std::min(failures - 1, 7U));
  return std::min(delay, milliseconds(10'000));
}

}  // namespace weft
