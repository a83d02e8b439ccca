// stale_flows.h: which flows of UDP and SCTP still go to where a service no longer sends them.
// Pure.
//
// The kernel keeps the translation that a flow's first packet met for as long as packets come. So
// a client that never pauses talks to a dead endpoint for ever, or to nobody where its first packet
// came before the service had rules. Such entries are those to a front of the service that do not
// lead to an endpoint of it that serves; only fronts at which that can have changed are looked at.
//
// Source: k8s.io/kubernetes pkg/proxy/conntrack (cleanup.go), whose rule this is.
#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "net/flow.h"
#include "service/front_claims.h"
#include "service/planned_service.h"

namespace weft::service {

/// A front and the endpoints that its flows may lead to.
struct FlowFront {
  FrontKey front = {};
  std::vector<EndpointRecord> serving = {};  ///< in order of their places
  bool operator==(const FlowFront&) const = default;
};

/// What the flows of each service were when it was last noted.
class FlowBook {
 public:
  /// The fronts whose flows may be stale since then, each once: they are new, had no endpoint, or
  /// have lost one. Where several services ask for a front, flows may lead to the endpoints of any:
  /// which of them has it is not known here.
  std::vector<FlowFront> note(const std::vector<PlannedService>& services);

 private:
  using Ports = std::vector<FlowPort>;
  using Suspects = std::map<FrontKey, const FlowPort*>;

  void note_one(const PlannedService& service, Suspects& suspects);
  void claim(const Ports& ports);
  void release(const Ports& ports);
  void add_rivals(const FrontKey& front, std::vector<EndpointRecord>& serving) const;

  std::map<ServiceName, Ports> services_;  // of those only that have any
  std::unordered_map<FrontKey, unsigned, FrontKeyHash> claims_;
};

/// The same services as they are in userspace mode. All flows lead to the relay, through a port
/// that comes with the front: stale is what a new front had before, and nothing that it gets while
/// it is there.
std::vector<PlannedService> relayed_flows(const std::vector<PlannedService>& services);

/// Whether an entry of the connection table is one to the front, and leads elsewhere. A port of the
/// node is a front at the node's own addresses and loopback, and nowhere else.
bool is_stale(const ConntrackEntry& entry, const FlowFront& front,
              const std::set<IpAddress>& own_addresses);

}  // namespace weft::service
