// service_proxy.h: the service proxy of a node: from its feed to the kernel, in one of the modes.
//
// Theory of operation. One thread, which sleeps until the feed or the kernel's monitor nudges it.
// Once both kinds have been listed it starts the mode; from then on each pass writes what has
// changed since the last one, however many events that were. When somebody else has written into
// what the mode keeps, or the kernel has refused something, a pass reads it and mends what differs.
// A store that is silent, broken or gone nudges nobody: everything stays as it is.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "base/health.h"
#include "base/lock_guarded.h"
#include "base/loop.h"
#include "kernel/legacy_watch.h"
#include "kernel/monitor.h"
#include "service/proxy_mode.h"
#include "service/proxy_watcher.h"
#include "service/service_feed.h"

namespace weft::service {

/// What may change while the proxy runs.
struct ProxySettings {
  std::vector<RuleOptions> families = {{.family = Family::kIpv4}, {.family = Family::kIpv6}};
  PlanOptions plan = {};
  bool operator==(const ProxySettings&) const = default;
};

struct ServiceProxyOptions {
  ProxySettings settings = {};
  /// At least so long between two passes (minSyncPeriod).
  std::chrono::milliseconds shortest_rest{0};
};

class ServiceProxy {
 public:
  /// In the calling thread's namespace. `mode` was opened there, with the families of the settings.
  /// `feed` and `watcher` must outlive it; whoever fills the feed calls nudge().
  static Result<std::unique_ptr<ServiceProxy>> start(ServiceFeed& feed,
                                                     std::unique_ptr<ProxyMode> mode,
                                                     const ServiceProxyOptions& options,
                                                     ProxyWatcher& watcher = no_watcher());

  void nudge() { loop_.nudge(); }
  /// From the next pass on. Of the same families.
  void set(ProxySettings settings);
  /// Whether the kernel has all services.
  bool ready() const { return ready_; }
  /// What keeps the kernel from being what the feed says, or success.
  Status health() const { return health_.get(); }

 private:
  ServiceProxy(ServiceFeed& feed, std::unique_ptr<ProxyMode> mode,
               const ServiceProxyOptions& options, ProxyWatcher& watcher);

  Status watch_others();
  Rest pass();
  Status settle(PassReport& report);
  Status start_mode(PassReport& report);
  void take_settings(PassReport& report);
  void write_changes(TakenServices taken, PassReport& report);
  void note_refusal(const Status& written, PassReport& report);
  Status repair(PassReport& report);

  ServiceFeed& feed_;
  const std::chrono::milliseconds shortest_rest_;
  ProxyWatcher& watcher_;
  LockGuarded<std::optional<ProxySettings>> new_settings_;
  Health health_;
  std::atomic<bool> ready_ = false;
  std::atomic<bool> in_doubt_ = false;  // somebody else has written, or an edit was refused
  // Of the thread of the loop:
  ProxySettings settings_;
  std::vector<Family> families_;
  std::unique_ptr<ProxyMode> mode_;
  unsigned failures_ = 0;
  Loop loop_;
  // These nudge the loop, so they go first.
  std::unique_ptr<kernel::Monitor> monitor_;
  std::unique_ptr<kernel::LegacyWatch> legacy_watch_;
};

}  // namespace weft::service
