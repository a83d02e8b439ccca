// lease_keeper.h: what gets this node its subnet lease and keeps it.
//
// One step() at a time, called by a Loop: it talks to the store, so it may take as long as the
// store's time-outs, and that is why the kernel is repaired on another thread. Whatever the
// store does, a lease once held is kept as the node's own until another one takes its place: an
// outage, an expiry or a deleted key change nothing in the kernel.
//
// Two implementations: AllocatingKeeper takes a free subnet in a store, NodeKeeper is given one
// by a Kubernetes cluster. The agent does not know which.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "base/health.h"
#include "base/lock_guarded.h"
#include "base/log.h"
#include "cluster/node.h"
#include "overlay/subnet_allocation.h"

namespace weft::overlay {

class LeaseKeeper {
 public:
  struct Hooks {
    /// What to look for and how this node is reached, as of now.
    std::function<AllocationFacts()> facts;
    /// What to publish; `own` is the lease that this node had before, if there is one.
    std::function<LeaseAttributes(const std::optional<Lease>& own)> attributes;
    /// Called in each step with the Node of this node, where there are Nodes.
    std::function<void(const Node&)> own_node = {};
    /// Called when lease() or health() has changed.
    std::function<void()> changed;
  };

  explicit LeaseKeeper(Hooks hooks) : hooks_(std::move(hooks)) {}
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;
  virtual ~LeaseKeeper() = default;

  /// Does what is due and returns when it wants to be called again. `view` is the watch's
  /// present view, or nullptr.
  virtual std::chrono::milliseconds step(const std::shared_ptr<const LeaseView>& view,
                                         std::chrono::system_clock::time_point now) = 0;

  /// Told once the kernel of this node has every peer for the first time; a step follows.
  virtual void network_is_up() {}

  /// The lease that this node holds, or nullptr before the first. Callable from any thread.
  std::shared_ptr<const Lease> lease() const { return lease_.copy(); }
  /// Why there is no lease, or why it cannot be kept; success otherwise.
  Status health() const { return health_.get(); }

 protected:
  /// From now on `lease` is the node's own.
  void hold(Lease lease);
  /// Takes note of how a step ended, in health() and in the log, and returns when to try again:
  /// soon after a failure, after `at_rest` otherwise.
  std::chrono::milliseconds settle(const Status& status, const std::string& tried,
                                   std::chrono::milliseconds at_rest);

  const Hooks hooks_;

 private:
  LockGuarded<std::shared_ptr<const Lease>> lease_;
  Health health_;
  unsigned failures_ = 0;
  RateLimit quiet_{std::chrono::seconds(60)};
};

}  // namespace weft::overlay
