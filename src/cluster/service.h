// service.h: a Kubernetes Service, as far as its proxy and its names go.
//
// What the API has checked is checked again: an object may come from a file, or from an API server
// that is newer or kinder. What makes no sense is left out and named in `faults`; the rest counts.
// Pure.
//
// Source: k8s.io/api/core/v1 (Service); kubernetes.io/docs/reference/networking/virtual-ips.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/unix_time.h"
#include "net/address.h"

namespace weft {

/// The number is the kernel's: IPPROTO_*.
enum class ServiceProtocol : std::uint8_t { kTcp = 6, kUdp = 17, kSctp = 132 };
/// "TCP", "UDP", "SCTP".
std::string_view to_string(ServiceProtocol protocol);
/// Of the same words; an empty one is TCP, as in the API.
std::optional<ServiceProtocol> parse_service_protocol(std::string_view text);

/// What a Service and its slices are known by.
struct ServiceName {
  std::string ns = {};
  std::string name = {};
  std::string to_string() const { return ns + "/" + name; }
  auto operator<=>(const ServiceName&) const = default;
};

enum class ServiceType : std::uint8_t { kClusterIp, kNodePort, kLoadBalancer, kExternalName };

/// Where traffic may go that came to a service from inside or outside of the cluster.
enum class TrafficPolicy : std::uint8_t { kCluster, kLocal };

struct ServicePort {
  std::string name = {};  ///< may be empty where there is only one
  ServiceProtocol protocol = ServiceProtocol::kTcp;
  std::uint16_t port = 0;
  std::uint16_t node_port = 0;  ///< 0: none
  /// A number, or the name of a container's port; empty: as `port`. Only who makes slices out of
  /// selectors needs it.
  std::string target_port = {};
  auto operator<=>(const ServicePort&) const = default;
};

struct Service {
  ServiceName name = {};
  std::string version = {};  ///< resourceVersion: equal or not, nothing more
  UnixSeconds created = {};
  ServiceType type = ServiceType::kClusterIp;
  /// clusterIP "None": the name stands for the endpoints themselves.
  bool headless = false;
  std::vector<IpAddress> cluster_ips = {};  ///< one a family at most
  std::vector<ServicePort> ports = {};
  std::map<std::string, std::string> selector = {};
  std::string external_name = {};  ///< of kExternalName
  std::vector<IpAddress> external_ips = {};
  /// status.loadBalancer.ingress: those whose ipMode is VIP or not said.
  std::vector<IpAddress> load_balancer_ips = {};
  std::vector<Prefix> load_balancer_source_ranges = {};
  /// True when ranges were asked for: if none of them could be read, nobody may pass.
  bool has_source_ranges = false;
  TrafficPolicy internal_traffic_policy = TrafficPolicy::kCluster;
  TrafficPolicy external_traffic_policy = TrafficPolicy::kCluster;
  /// sessionAffinity ClientIP; nothing: None.
  std::optional<std::chrono::seconds> client_affinity = {};
  std::uint16_t health_check_node_port = 0;  ///< 0: none
  bool publish_not_ready_addresses = false;
  /// Labels by which it asks to be left to another proxy, or to none.
  bool other_proxy = false;     ///< service.kubernetes.io/service-proxy-name
  bool headless_label = false;  ///< service.kubernetes.io/headless
  /// What was left out, each as one sentence: "externalIPs: \"x\" is no address".
  std::vector<std::string> faults = {};

  /// Reads a Service's protobuf message (cluster/kube_fields.h). An Error where it is none, or has
  /// no name.
  static Result<Service> parse(std::string_view message);
  /// Reads a manifest: keys as the API spells them, in any case.
  static Result<Service> read(const Json& manifest);

  bool operator==(const Service&) const = default;
};

}  // namespace weft
