// service_proxy.h: the service proxy of a node, in nftables mode: from its feed to the kernel.
//
// Theory of operation. One thread, which sleeps until the feed or the kernel's monitor nudges it.
// Once both kinds have been listed it starts the tables; from then on each pass writes what has
// changed since the last one, however many events that were. When somebody else has written into
// the tables, or the kernel has refused something, a pass reads them and mends what differs. A
// store that is silent, broken or gone nudges nobody: everything stays as it is.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "base/health.h"
#include "base/loop.h"
#include "kernel/monitor.h"
#include "service/nftables_mode.h"
#include "service/service_feed.h"

namespace weft::service {

struct ServiceProxyOptions {
  std::vector<NftOptions> families = {{.family = Family::kIpv4}, {.family = Family::kIpv6}};
  PlanOptions plan = {};
  /// At least so long between two passes (minSyncPeriod).
  std::chrono::milliseconds shortest_rest{0};
};

class ServiceProxy {
 public:
  /// In the calling thread's namespace. `feed` must outlive it; whoever fills it calls nudge().
  static Result<std::unique_ptr<ServiceProxy>> start(ServiceFeed& feed,
                                                     ServiceProxyOptions options);

  void nudge() { loop_.nudge(); }
  /// Whether the tables have been started.
  bool ready() const { return ready_; }
  /// What keeps the kernel from being what the feed says, or success.
  Status health() const { return health_.get(); }

 private:
  ServiceProxy(ServiceFeed& feed, ServiceProxyOptions options, NftablesMode mode);

  Rest pass();
  Status settle();
  Status start_tables();
  Status repair();

  ServiceFeed& feed_;
  const ServiceProxyOptions options_;
  std::vector<Family> families_;
  NftablesMode mode_;
  Health health_;
  std::atomic<bool> ready_ = false;
  std::atomic<bool> in_doubt_ = false;  // somebody else has written, or an edit was refused
  unsigned failures_ = 0;
  Loop loop_;
  std::unique_ptr<kernel::Monitor> monitor_;  // nudges the loop, so it goes first
};

}  // namespace weft::service
