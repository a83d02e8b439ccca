#include "service/planned_service.h"

#include <utility>

namespace weft::service {

std::vector<PlannedService> plan_services(const ServiceBoard& board,
                                          const std::vector<ServiceName>& names,
                                          const std::vector<Family>& families,
                                          const PlanOptions& options) {
  std::vector<PlannedService> all;
  all.reserve(names.size());
  for (const ServiceName& name : names) {
    PlannedService planned{.name = name};
    if (const auto entry = board.find(name)) {
      planned.created = entry->service->created;
      for (const Family family : families) {
        ServicePlan plan = plan_service(*entry->service, entry->slices, family, options);
        if (!plan.ports.empty()) planned.plans.emplace(family, std::move(plan));
      }
    }
    all.push_back(std::move(planned));
  }
  return all;
}

}  // namespace weft::service
