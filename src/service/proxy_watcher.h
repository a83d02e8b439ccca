// proxy_watcher.h: who is told what a pass of the service proxy has done: numbers, health-check
// ports, the repair of connections.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "base/result.h"
#include "service/planned_service.h"
#include "service/service_feed.h"

namespace weft::service {

struct PassReport {
  using Clock = std::chrono::steady_clock;
  Clock::time_point began = {};
  Clock::time_point ended = {};
  WallTime at = {};  ///< when it ended, for others' clocks
  /// Everything was written or compared, and not only what has changed.
  bool full = false;
  /// The services that were planned anew. Of the first pass: all of them.
  std::vector<PlannedService> services = {};
  /// What of the stores' news is in it.
  BoardNews news = {};
  /// Edits that the kernel refused, whether or not a repair made them good.
  std::size_t failures = 0;
  Status outcome = {};
};

class ProxyWatcher {
 public:
  virtual ~ProxyWatcher() = default;
  /// On the proxy's thread, after the pass; must not wait for anything but the kernel.
  virtual void passed(const PassReport& report) = 0;
};

/// Looks away.
ProxyWatcher& no_watcher();

}  // namespace weft::service
