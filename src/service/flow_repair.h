// flow_repair.h: removes stale flows (stale_flows.h) from the kernel's table of connections.
//
// Theory of operation. After each pass of the proxy, with the services that it planned anew. Only
// entries of the fronts in question are asked for, by the kernel's own filter; where these are many
// (a start), those of a protocol are asked for once. Each stale entry is removed by its own tuple.
// Where the kernel has no table of connections, that is said once, and there is nothing to repair.
//
// Used by one thread. Acts in the namespace in which it was made.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <vector>

#include "base/log.h"
#include "kernel/conntrack.h"
#include "kernel/rtnetlink.h"
#include "service/stale_flows.h"

namespace weft::service {

class FlowRepair {
 public:
  FlowRepair();

  /// The number of entries that were removed; nothing when there was nothing to look for. What
  /// cannot be done is logged, and left to the next change of the service.
  std::optional<std::size_t> repair(const std::vector<PlannedService>& services);

 private:
  using Suspects = std::vector<FlowFront>;
  Result<std::size_t> clean(const Suspects& suspects);
  Result<std::size_t> clean_one_by_one(const Suspects& suspects);
  Result<std::size_t> clean_at_once(const Suspects& suspects);
  Result<std::set<IpAddress>> own_addresses(const Suspects& suspects);
  Status remove(const ConntrackEntry& entry);

  FlowBook book_;
  Result<kernel::Conntrack> conntrack_;
  Result<kernel::Rtnetlink> rtnetlink_;
  RateLimit log_limit_{std::chrono::seconds(60)};
};

}  // namespace weft::service
