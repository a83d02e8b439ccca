// planned_service.h: a service as it is to be, in every family that the proxy serves. Pure.
#pragma once

#include <map>
#include <vector>

#include "service/service_board.h"
#include "service/service_plan.h"

namespace weft::service {

struct PlannedService {
  ServiceName name = {};
  UnixSeconds created = {};
  std::map<Family, ServicePlan> plans = {};  ///< none: the service is gone
};

/// Plans what take_changed() has named.
std::vector<PlannedService> plan_services(const ServiceBoard& board,
                                          const std::vector<ServiceName>& names,
                                          const std::vector<Family>& families,
                                          const PlanOptions& options);

}  // namespace weft::service
