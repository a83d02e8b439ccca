#include "service/service_digest.h"

#include <algorithm>

namespace weft::service {

std::optional<ServiceDigest> digest(const Service& service) {
  if (service.headless || service.type == ServiceType::kExternalName ||
      service.cluster_ips.empty() || service.other_proxy || service.headless_label)
    return std::nullopt;
  ServiceDigest kept{.created = service.created,
                     .cluster_ips = service.cluster_ips,
                     .external_ips = service.external_ips,
                     .load_balancer_ips = service.load_balancer_ips,
                     .source_ranges = service.load_balancer_source_ranges,
                     .has_source_ranges = service.has_source_ranges,
                     .internal_policy = service.internal_traffic_policy,
                     .external_policy = service.external_traffic_policy};
  // The port stays on a Service whose policy has changed: there it means nothing.
  if (service.type == ServiceType::kLoadBalancer &&
      service.external_traffic_policy == TrafficPolicy::kLocal)
    kept.health_check_node_port = service.health_check_node_port;
  if (service.client_affinity)
    kept.affinity_seconds = static_cast<std::uint32_t>(service.client_affinity->count());
  kept.ports.reserve(service.ports.size());
  for (const ServicePort& port : service.ports)
    kept.ports.push_back({.name = port.name,
                          .protocol = port.protocol,
                          .port = port.port,
                          .node_port = port.node_port});
  return kept;
}

std::vector<std::string> misfits(const Service& service) {
  std::vector<std::string> sentences;
  const auto fits = [&](Family family) {
    return std::any_of(service.cluster_ips.begin(), service.cluster_ips.end(),
                       [&](const IpAddress& address) { return address.family() == family; });
  };
  const auto check = [&](const auto& value, Family family, const char* field) {
    if (!fits(family))
      sentences.push_back(value.to_string() + " in " + field + " has incorrect IP version");
  };
  if (!digest(service)) return sentences;
  for (const auto& address : service.external_ips) check(address, address.family(), "externalIPs");
  for (const auto& address : service.load_balancer_ips)
    check(address, address.family(), "status.loadBalancer.ingress");
  for (const auto& range : service.load_balancer_source_ranges)
    check(range, range.family(), "loadBalancerSourceRanges");
  return sentences;
}

}  // namespace weft::service
