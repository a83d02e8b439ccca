// allocating_keeper.h: takes a free subnet in a store, renews it, takes it again when it is lost.
//
// The race for a free subnet is run until it is won: flannel's own loop ends after one lost try.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "overlay/lease_keeper.h"
#include "overlay/net_conf.h"
#include "overlay/subnet_allocation.h"
#include "store/lease_store.h"

namespace weft::overlay {

struct LeaseTimes {
  std::chrono::seconds ttl{86'400};       ///< flannel's
  std::chrono::minutes renew_margin{60};  ///< before its end a lease is renewed
};

class AllocatingKeeper : public LeaseKeeper {
 public:
  AllocatingKeeper(LeaseStore& store, const NetConf& conf, LeaseTimes times, Hooks hooks);

  std::chrono::milliseconds step(const std::shared_ptr<const LeaseView>& view,
                                 std::chrono::system_clock::time_point now) override;

 private:
  Status acquire(std::shared_ptr<const LeaseView> view);
  /// True when this node holds a lease now, false when another node was faster.
  Result<bool> try_to_take(const Allocation& allocation);
  /// A new lease of two families is kept when nobody else has either half of it.
  Result<bool> keep_unless_shared(const Lease& created);
  Status rewrite(const Lease& seen);
  /// False when somebody else has changed it since it was seen.
  Result<bool> replace(const Lease& seen);
  /// Whether the store, asked anew, still holds our lease; takes over its present version.
  Result<bool> still_ours(const Lease& lease);
  /// Somebody has written our lease, word for word as we write it.
  Status share(Lease present);
  bool suspicious(const LeaseView& view, const Lease& lease) const;
  void take_over(Lease lease, const std::string& how);

  LeaseStore& store_;
  const NetConf& conf_;
  const LeaseTimes times_;
  RateLimit answers_{std::chrono::minutes(10)};
};

}  // namespace weft::overlay
