// lease_keeper.h: gets this node its subnet lease and keeps it.
//
// One step() at a time, called by a Loop: it talks to the store, so it may take as long as the
// store's time-outs, and that is why the kernel is repaired on another thread. Whatever the
// store does, a lease once held is kept as the node's own until another node is seen to hold
// the subnet: an outage, an expiry or a deleted key change nothing in the kernel.
//
// The race for a free subnet is run until it is won: flannel's own loop ends after one lost try.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/lock_guarded.h"
#include "base/log.h"
#include "overlay/net_conf.h"
#include "overlay/subnet_allocation.h"
#include "store/lease_store.h"

namespace weft::overlay {

struct LeaseTimes {
  std::chrono::seconds ttl{86'400};       ///< flannel's
  std::chrono::minutes renew_margin{60};  ///< before its end a lease is renewed
};

class LeaseKeeper {
 public:
  struct Hooks {
    /// What to look for and how this node is reached, as of now.
    std::function<AllocationFacts()> facts;
    /// What to publish; `own` is the lease that this node had before, if there is one.
    std::function<LeaseAttributes(const std::optional<Lease>& own)> attributes;
    /// Called when lease() has changed.
    std::function<void()> changed;
  };

  LeaseKeeper(LeaseStore& store, const NetConf& conf, LeaseTimes times, Hooks hooks);

  /// Does what is due and returns when it wants to be called again. `view` is the watch's
  /// present view, or nullptr.
  std::chrono::milliseconds step(const std::shared_ptr<const LeaseView>& view,
                                 std::chrono::system_clock::time_point now);

  /// The lease that this node holds, or nullptr before the first. Callable from any thread.
  std::shared_ptr<const Lease> lease() const { return lease_.copy(); }
  /// Why there is no lease, or why it cannot be renewed; success otherwise.
  Status health() const { return health_.copy(); }

 private:
  Status acquire(std::shared_ptr<const LeaseView> view);
  /// True when this node holds a lease now, false when another node was faster.
  Result<bool> try_to_take(const Allocation& allocation);
  Status rewrite(const Lease& seen);
  /// Whether the store, asked anew, still holds our lease; takes over its present version.
  Result<bool> still_ours(const Lease& lease);
  bool suspicious(const LeaseView& view, const Lease& lease) const;
  void take_over(Lease lease, const std::string& how);

  LeaseStore& store_;
  const NetConf& conf_;
  const LeaseTimes times_;
  const Hooks hooks_;
  LockGuarded<std::shared_ptr<const Lease>> lease_;
  LockGuarded<Status> health_;
  unsigned failures_ = 0;
  RateLimit quiet_{std::chrono::seconds(60)};
};

}  // namespace weft::overlay
