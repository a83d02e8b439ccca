// endpoint_choice.h: which endpoints of a service port are used on this node. Pure.
//
// Once for all modes of the proxy. Source: k8s.io/kubernetes pkg/proxy/topology.go.
#pragma once

#include <vector>

#include "service/endpoint_record.h"

namespace weft::service {

/// Which sets the traffic policies of a service port ask for.
struct SetsUsed {
  bool cluster = true;
  bool local = false;
};

struct EndpointChoice {
  /// Policy Cluster: all that are ready, or those that hints mean for this node or else its zone;
  /// where none is ready, those that terminate and still serve.
  std::vector<EndpointRecord> cluster = {};
  /// Policy Local: the ready ones of this node; where none is ready, those of it that terminate
  /// and still serve, whatever there is elsewhere.
  std::vector<EndpointRecord> local = {};
  /// Something could be used, here or elsewhere: what is not reachable from here is dropped, and
  /// not refused.
  bool has_any = false;
  bool operator==(const EndpointChoice&) const = default;
};

/// `all` as merge_endpoints() orders them, and in that order are the sets.
EndpointChoice choose_endpoints(const std::vector<EndpointRecord>& all, const SetsUsed& used);

}  // namespace weft::service
