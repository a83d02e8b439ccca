// forwarding_pass.h: peers' routes, neighbours and forwarding entries, read, compared and put:
// what the backends share that leave the carrying to the kernel's routes.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "kernel/rtnetlink.h"
#include "net/forwarding.h"
#include "overlay/net_conf.h"
#include "overlay/pass_report.h"

namespace weft::overlay {

/// Where the routes of one family's peers lead.
struct ForwardingPlace {
  const PodNetwork& network;
  LinkIndex device = LinkIndex::kNone;  ///< the backend's own; kNone when it has none
  LinkIndex uplink = LinkIndex::kNone;
};

/// The tables that should be, made from the node's routes that are not the overlay's.
using ForwardingPlan = std::function<ForwardingTables(const std::vector<Route>& node_routes)>;

/// Carries out the difference of two tables; what was changed and what the kernel refused goes
/// into the report.
void apply(const ForwardingTables& desired, const ForwardingTables& actual,
           kernel::Rtnetlink& rtnetlink, PassReport& report);

/// Brings the kernel to the plan. Routes of somebody else stay, and the peer in question is
/// named in the report; so is each entry that the kernel refused.
Status settle_forwarding(const ForwardingPlace& place, const ForwardingPlan& plan,
                         kernel::Rtnetlink& rtnetlink, PassReport& report);

}  // namespace weft::overlay
