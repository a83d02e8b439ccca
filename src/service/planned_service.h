// planned_service.h: a service as it is to be, in every family that the proxy serves. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "service/service_board.h"
#include "service/service_plan.h"

namespace weft::service {

/// What a load balancer asks of a node: whether endpoints of the service are there.
struct HealthCheck {
  std::uint16_t port = 0;
  std::size_t local_endpoints = 0;  ///< ready ones on this node, each address once
  bool operator==(const HealthCheck&) const = default;
};

/// Of a port whose protocol has no connections, UDP or SCTP: where its flows may go. Endpoints that
/// the service no longer chooses keep theirs, as they would keep TCP's connections.
struct FlowPort {
  std::vector<FrontKey> fronts = {};
  std::vector<EndpointRecord> serving = {};  ///< in order of their places
  bool operator==(const FlowPort&) const = default;
};

struct PlannedService {
  ServiceName name = {};
  UnixSeconds created = {};
  std::map<Family, ServicePlan> plans = {};  ///< none: the service is gone
  std::optional<HealthCheck> health_check = {};
  std::vector<FlowPort> flows = {};
};

/// Plans what take_changed() has named.
std::vector<PlannedService> plan_services(const ServiceBoard& board,
                                          const std::vector<ServiceName>& names,
                                          const std::vector<Family>& families,
                                          const PlanOptions& options);

}  // namespace weft::service
