// service_verdicts.h: what becomes of traffic to services, case by case: planned in unit tests, and
// seen with real packets in every mode of the proxy (service_lab.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/service_cases.h"

namespace weft::service::test {

/// Addresses of the fronts of exposed(), and of endpoints, as service_lab.h has them.
struct VerdictAddresses {
  IpAddress cluster, external, load_balancer, here, there;
  static VerdictAddresses of(Family family) {
    return family == Family::kIpv4
               ? VerdictAddresses{ip("10.96.0.10"), ip("198.51.100.1"), ip("203.0.113.1"),
                                  ip("10.244.1.10"), ip("10.244.2.10")}
               : VerdictAddresses{ip("fd00:96::a"), ip("2001:db8:51::1"), ip("2001:db8:113::1"),
                                  ip("fd00:244:1::10"), ip("fd00:244:2::10")};
  }
};
inline constexpr std::uint16_t kNodePort = 30080;

/// A Service with every kind of front, by UDP.
inline Service exposed(Family family = Family::kIpv4) {
  const auto addresses = VerdictAddresses::of(family);
  Service service = web();
  service.type = ServiceType::kLoadBalancer;
  service.cluster_ips = {addresses.cluster};
  service.ports[0].protocol = ServiceProtocol::kUdp;
  service.ports[0].node_port = kNodePort;
  service.external_ips = {addresses.external};
  service.load_balancer_ips = {addresses.load_balancer};
  return service;
}
/// The same, reached at its cluster address only.
inline Service inner(Family family = Family::kIpv4) {
  Service service = web();
  service.cluster_ips = {VerdictAddresses::of(family).cluster};
  service.ports[0].protocol = ServiceProtocol::kUdp;
  return service;
}
inline Service with(Service service, const std::function<void(Service&)>& change) {
  change(service);
  return service;
}
inline Service outside_local(Service service) {
  service.external_traffic_policy = TrafficPolicy::kLocal;
  return service;
}
inline Service inside_local(Service service) {
  service.internal_traffic_policy = TrafficPolicy::kLocal;
  return service;
}

/// A word for each source in order: a pod of this node, the node itself, anything else.
struct VerdictCase {
  std::string name;
  Service service;
  std::vector<Endpoint> endpoints;
  std::string inside;   ///< at the cluster address
  std::string outside;  ///< at all other fronts; empty where there are none
};

inline std::vector<VerdictCase> verdict_cases(Family family) {
  const auto addresses = VerdictAddresses::of(family);
  const Endpoint here = endpoint(addresses.here.to_string(), "here");
  const Endpoint there = endpoint(addresses.there.to_string());
  return {
      {"policy_cluster",
       exposed(family),
       {there, here},
       "cluster cluster+masquerade cluster+masquerade",
       "cluster+masquerade cluster+masquerade cluster+masquerade"},
      {"no_endpoints", exposed(family), {}, "reject reject reject", "reject reject reject"},
      {"no_usable_endpoints",
       exposed(family),
       {not_ready(there), terminating(here, false)},
       "reject reject reject",
       "reject reject reject"},
      {"only_terminating_endpoints",
       exposed(family),
       {terminating(there)},
       "cluster cluster+masquerade cluster+masquerade",
       "cluster+masquerade cluster+masquerade cluster+masquerade"},
      {"internal_policy_local",
       inside_local(exposed(family)),
       {there, here},
       "local local+masquerade local+masquerade",
       "cluster+masquerade cluster+masquerade cluster+masquerade"},
      {"internal_policy_local_none_here",
       inside_local(exposed(family)),
       {there},
       "drop drop drop",
       "cluster+masquerade cluster+masquerade cluster+masquerade"},
      {"internal_policy_local_none_anywhere",
       inside_local(exposed(family)),
       {},
       "reject reject reject",
       "reject reject reject"},
      {"internal_policy_local_terminating_here",
       inside_local(exposed(family)),
       {there, terminating(here)},
       "local local+masquerade local+masquerade",
       "cluster+masquerade cluster+masquerade cluster+masquerade"},
      {"external_policy_local",
       outside_local(exposed(family)),
       {there, here},
       "cluster cluster+masquerade cluster+masquerade",
       "cluster cluster+masquerade local"},
      {"external_policy_local_none_here",
       outside_local(exposed(family)),
       {there},
       "cluster cluster+masquerade cluster+masquerade",
       "cluster cluster+masquerade drop"},
      {"external_policy_local_none_anywhere",
       outside_local(exposed(family)),
       {},
       "reject reject reject",
       "reject reject reject"},
      {"external_policy_local_terminating_here",
       outside_local(exposed(family)),
       {there, terminating(here)},
       "cluster cluster+masquerade cluster+masquerade",
       "cluster cluster+masquerade local"},
      {"both_policies_local",
       inside_local(outside_local(exposed(family))),
       {there, here},
       "local local+masquerade local+masquerade",
       "cluster cluster+masquerade local"},
      {"external_policy_local_of_a_service_that_is_not_exposed",
       outside_local(inner(family)),
       {there},
       "cluster cluster+masquerade cluster+masquerade",
       ""},
      {"external_policy_local_with_external_addresses_only",
       outside_local(with(inner(family), [&](auto& s) { s.external_ips = {addresses.external}; })),
       {there},
       "cluster cluster+masquerade cluster+masquerade",
       "cluster cluster+masquerade drop"},
  };
}

}  // namespace weft::service::test
