// traffic_rules.h: keeps the masquerade and forward rules in the packet filter.
#pragma once

#include <map>
#include <memory>

#include "base/result.h"
#include "overlay/masquerade_plan.h"
#include "overlay/net_conf.h"
#include "overlay/pass_report.h"

namespace weft::overlay {

/// Acts in the network namespace of the calling thread, which must always be the same.
class TrafficRules {
 public:
  explicit TrafficRules(const NetConf& conf) : nftables_mode_(conf.nftables) {}

  /// Reads the rules of one family and brings them to their plan; what the other mode left
  /// behind is removed.
  Status settle(const MasqueradeFacts& facts, PassReport& report);

 private:
  Status settle_iptables(const MasqueradeFacts& facts, PassReport& report);
  Status settle_nftables(const MasqueradeFacts& facts, PassReport& report);

  bool nftables_mode_;
};

}  // namespace weft::overlay
