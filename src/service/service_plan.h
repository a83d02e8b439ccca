// service_plan.h: what becomes of the traffic to a service, in one address family. Pure.
//
// A port of a service is reached at several fronts: its cluster address, external addresses, those
// of a load balancer, and a port of the node. The plan says of each front how it is handled, and
// verdict_for() what that means for a packet, by where it comes from. The modes of the proxy only
// write this down in their own language.
//
// Source: k8s.io/kubernetes pkg/proxy (servicechangetracker.go, nftables/proxier.go);
// kubernetes.io/docs/reference/networking/virtual-ips.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "service/endpoint_choice.h"
#include "service/service_digest.h"
#include "service/slice_digest.h"

namespace weft::service {

enum class FrontKind : std::uint8_t { kClusterIp, kLoadBalancer, kExternalIp, kNodePort };

/// How traffic to a front is handled.
enum class Handling : std::uint8_t {
  kReject,           ///< refused: there is no endpoint anywhere
  kDrop,             ///< policy Local and no endpoint here, but elsewhere
  kCluster,          ///< from inside, to the endpoints for policy Cluster
  kLocal,            ///< from inside, to the endpoints for policy Local
  kExternalCluster,  ///< from outside, by way of this node, to the endpoints for policy Cluster
  /// From outside to this node's endpoints, source address kept. What comes from this node or its
  /// pods is treated as if it had gone out and come back in on some node: it may go anywhere.
  kExternalLocal,
};

struct Front {
  FrontKind kind = FrontKind::kClusterIp;
  Handling handling = Handling::kReject;
  std::uint16_t port = 0;
  /// Of kNodePort: the unspecified one, which stands for the node's addresses.
  IpAddress address = {};
  bool operator==(const Front&) const = default;
};

/// What tells a front from all others of a node.
struct FrontKey {
  IpAddress address = {};  ///< the unspecified one for node ports
  ServiceProtocol protocol = ServiceProtocol::kTcp;
  std::uint16_t port = 0;
  auto operator<=>(const FrontKey&) const = default;
};

struct PortPlan {
  std::string name = {};
  ServiceProtocol protocol = ServiceProtocol::kTcp;
  std::uint32_t affinity_seconds = 0;  ///< 0: none
  std::vector<EndpointRecord> cluster = {};
  std::vector<EndpointRecord> local = {};
  std::vector<Front> fronts = {};  ///< no front twice, in all ports of a service
  FrontKey key(const Front& front) const { return {front.address, protocol, front.port}; }
  bool operator==(const PortPlan&) const = default;
};

/// Of one service in one family. Without ports: the service has no part in the family.
struct ServicePlan {
  IpAddress cluster_ip = {};
  std::vector<PortPlan> ports = {};
  /// Only these may use the load balancer's addresses, where that is restricted.
  bool restricted = false;
  std::vector<Prefix> allowed_sources = {};  ///< in order, none within another
  /// Where a load balancer asks whether this node has endpoints; 0: nowhere.
  std::uint16_t health_check_port = 0;
  bool operator==(const ServicePlan&) const = default;
};

/// What the operator of the node has decided, as far as plans depend on it.
struct PlanOptions {
  NodeFacts node = {};
  /// Where there are any, external and load balancers' addresses count only inside of them: whoever
  /// may write a Service could take over any address of the world (CVE-2020-8554).
  std::vector<Prefix> external_ranges = {};
  bool operator==(const PlanOptions&) const = default;
};

/// `slices` are those of the service, of any family.
ServicePlan plan_service(const ServiceDigest& service,
                         const std::vector<const SliceDigest*>& slices, Family family,
                         const PlanOptions& options);

/// Where a packet comes from.
enum class Source : std::uint8_t {
  kLocalPod,   ///< a pod of this node, where the proxy knows how to tell (LocalDetector)
  kNode,       ///< an address of the node itself
  kElsewhere,  ///< also a pod of another node
};

struct MasqueradeRules {
  bool all = false;           ///< --masquerade-all
  bool detects_pods = false;  ///< there is a detector of local pods
};

struct Verdict {
  enum class Action : std::uint8_t { kForward, kReject, kDrop };
  Action action = Action::kDrop;
  bool to_local_set = false;  ///< of kForward: PortPlan::local instead of PortPlan::cluster
  /// Of kForward: it leaves with an address of this node. A packet that comes back to the very
  /// endpoint that sent it is masqueraded in any case.
  bool masquerade = false;
  bool operator==(const Verdict&) const = default;
};

/// For packets that may pass ServicePlan::allowed_sources.
Verdict verdict_for(const PortPlan& port, const Front& front, Source source,
                    const MasqueradeRules& rules);

/// Whether a packet from there may use a front; others are dropped.
bool may_use(const ServicePlan& service, const Front& front, const IpAddress& source);

}  // namespace weft::service
