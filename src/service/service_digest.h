// service_digest.h: what the service proxy keeps of a Service. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/service.h"

namespace weft::service {

struct PortDigest {
  std::string name = {};
  ServiceProtocol protocol = ServiceProtocol::kTcp;
  std::uint16_t port = 0;
  std::uint16_t node_port = 0;  ///< 0: none
  bool operator==(const PortDigest&) const = default;
};

struct ServiceDigest {
  UnixSeconds created = {};
  std::vector<IpAddress> cluster_ips = {};
  std::vector<PortDigest> ports = {};
  std::vector<IpAddress> external_ips = {};
  std::vector<IpAddress> load_balancer_ips = {};
  std::vector<Prefix> source_ranges = {};
  bool has_source_ranges = false;  ///< see Service
  TrafficPolicy internal_policy = TrafficPolicy::kCluster;
  TrafficPolicy external_policy = TrafficPolicy::kCluster;
  std::uint32_t affinity_seconds = 0;  ///< 0: no affinity
  std::uint16_t health_check_node_port = 0;
  bool operator==(const ServiceDigest&) const = default;
};

/// Nothing for a Service that is not for this proxy: without a cluster address (headless,
/// ExternalName, not yet assigned), or labelled for another proxy or none.
std::optional<ServiceDigest> digest(const Service& service);

/// What the Service names and can have no use for, since it has no cluster address of that family:
/// "2001:db8::1 in externalIPs has incorrect IP version", as kube-proxy says it.
std::vector<std::string> misfits(const Service& service);

}  // namespace weft::service
