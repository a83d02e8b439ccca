// service_status.h: services as `weft status services` shows them. Pure.
#pragma once

#include <optional>
#include <vector>

#include "base/json.h"
#include "service/service_board.h"
#include "service/service_plan.h"

namespace weft::service {

/// Some of the services, in order of their names.
struct StatusPage {
  Json services = Json::array();
  bool more = false;  ///< there are others behind them
};

/// At most `most` of those behind `after`, or from the first one on. Of each: its name, its fronts
/// ("fronts": address, null for a port of the node; port, protocol, kind, and where it leads:
/// "cluster", "local", "refused" or "dropped"), all endpoints of its ports ("endpoints", with the
/// marks local, ready, serving, terminating, and whether it is used), since when the kernel has it
/// ("in_kernel_s": seconds, null: never) and whether a change is still on its way ("waiting").
StatusPage status_page(const ServiceBoard& board, const std::optional<ServiceName>& after,
                       std::size_t most, const std::vector<Family>& families,
                       const PlanOptions& options, UnixSeconds now);

}  // namespace weft::service
