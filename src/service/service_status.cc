#include "service/service_status.h"

#include <algorithm>
#include <string>

namespace weft::service {
namespace {

using namespace endpoint_marks;

const char* word(FrontKind kind) {
  switch (kind) {
    case FrontKind::kClusterIp:
      return "cluster";
    case FrontKind::kLoadBalancer:
      return "load balancer";
    case FrontKind::kExternalIp:
      return "external";
    case FrontKind::kNodePort:
      break;
  }
  return "node port";
}

const char* word(Handling handling) {
  switch (handling) {
    case Handling::kReject:
      return "refused";
    case Handling::kDrop:
      return "dropped";
    case Handling::kCluster:
    case Handling::kExternalCluster:
      return "cluster";
    case Handling::kLocal:
    case Handling::kExternalLocal:
      break;
  }
  return "local";
}

Json front_status(const Front& front, const PortPlan& port) {
  const bool node = front.kind == FrontKind::kNodePort;
  return {{"kind", word(front.kind)},
          {"address", node ? Json() : Json(front.address.to_string())},
          {"port", front.port},
          {"protocol", to_string(port.protocol)},
          {"leads_to", word(front.handling)}};
}

Json endpoint_status(const EndpointRecord& endpoint, const PortPlan& port) {
  const auto is_it = [&](const EndpointRecord& other) { return other.same_place(endpoint); };
  const bool used = std::any_of(port.cluster.begin(), port.cluster.end(), is_it) ||
                    std::any_of(port.local.begin(), port.local.end(), is_it);
  return {{"port_name", port.name},
          {"protocol", to_string(port.protocol)},
          {"address", endpoint.address.to_string()},
          {"port", endpoint.port},
          {"local", endpoint.has(kLocal)},
          {"ready", endpoint.has(kReady)},
          {"serving", endpoint.has(kServing)},
          {"terminating", endpoint.has(kTerminating)},
          {"used", used}};
}

Json service_status(const ServiceName& name, const ServiceBoard::Entry& entry,
                    const std::vector<Family>& families, const PlanOptions& options,
                    UnixSeconds now) {
  Json fronts = Json::array();
  Json endpoints = Json::array();
  for (const Family family : families)
    for (const auto& port : plan_service(*entry.service, entry.slices, family, options).ports) {
      for (const Front& front : port.fronts) fronts.push_back(front_status(front, port));
      for (const auto& endpoint : merge_endpoints(entry.slices, port.name, port.protocol, family))
        endpoints.push_back(endpoint_status(endpoint, port));
    }
  const bool never = entry.in_kernel == UnixSeconds();
  return {{"namespace", name.ns},
          {"name", name.name},
          {"fronts", std::move(fronts)},
          {"endpoints", std::move(endpoints)},
          {"in_kernel_s", never ? Json() : Json((now - entry.in_kernel).count())},
          {"waiting", entry.waiting}};
}

}  // namespace

StatusPage status_page(const ServiceBoard& board, const std::optional<ServiceName>& after,
                       std::size_t most, const std::vector<Family>& families,
                       const PlanOptions& options, UnixSeconds now) {
  StatusPage page;
  // One more than fit: whether there is another page.
  for (const ServiceName& name : board.names_after(after, most + 1)) {
    page.more = page.services.size() == most;
    if (page.more) break;
    page.services.push_back(service_status(name, *board.find(name), families, options, now));
  }
  return page;
}

}  // namespace weft::service
