#include "service/planned_service.h"

#include <algorithm>
#include <set>
#include <utility>

namespace weft::service {
namespace {

using namespace endpoint_marks;
using Slices = std::vector<const SliceDigest*>;

std::optional<HealthCheck> health_check(const ServiceBoard::Entry& entry) {
  if (entry.service->health_check_node_port == 0) return std::nullopt;
  std::set<IpAddress> local;
  for (const PortDigest& port : entry.service->ports)
    for (const Family family : {Family::kIpv4, Family::kIpv6})
      for (const auto& endpoint : merge_endpoints(entry.slices, port.name, port.protocol, family))
        if (endpoint.has(kLocal) && endpoint.has(kReady)) local.insert(endpoint.address);
  return HealthCheck{.port = entry.service->health_check_node_port,
                     .local_endpoints = local.size()};
}

void add_flows(const ServicePlan& plan, const Slices& slices, std::vector<FlowPort>& flows) {
  for (const PortPlan& port : plan.ports) {
    if (port.protocol == ServiceProtocol::kTcp || port.fronts.empty()) continue;
    FlowPort flow;
    for (const Front& front : port.fronts) flow.fronts.push_back(port.key(front));
    flow.serving = merge_endpoints(slices, port.name, port.protocol, plan.cluster_ip.family());
    std::erase_if(flow.serving, [](const EndpointRecord& endpoint) {
      return !endpoint.has(kReady) && !endpoint.has(kServing);
    });
    flows.push_back(std::move(flow));
  }
}

PlannedService plan_one(const ServiceName& name, const ServiceBoard::Entry& entry,
                        const std::vector<Family>& families, const PlanOptions& options) {
  PlannedService planned{.name = name, .created = entry.service->created};
  for (const Family family : families) {
    ServicePlan plan = plan_service(*entry.service, entry.slices, family, options);
    if (plan.ports.empty()) continue;
    add_flows(plan, entry.slices, planned.flows);
    planned.plans.emplace(family, std::move(plan));
  }
  planned.health_check = health_check(entry);
  return planned;
}

}  // namespace

std::vector<PlannedService> plan_services(const ServiceBoard& board,
                                          const std::vector<ServiceName>& names,
                                          const std::vector<Family>& families,
                                          const PlanOptions& options) {
  std::vector<PlannedService> all;
  all.reserve(names.size());
  for (const ServiceName& name : names) {
    const auto entry = board.find(name);
    all.push_back(entry ? plan_one(name, *entry, families, options) : PlannedService{.name = name});
  }
  return all;
}

}  // namespace weft::service
