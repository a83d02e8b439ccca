// slice_digest.h: what the service proxy keeps of EndpointSlices, and the merging of a service's
// slices into the endpoints of one of its ports. Pure.
//
// Source: k8s.io/kubernetes pkg/proxy/endpointslicecache.go, whose rules these are.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "cluster/endpoint_slice.h"
#include "service/endpoint_record.h"
#include "service/node_facts.h"

namespace weft::service {

struct SliceDigest {
  Family family = Family::kIpv4;
  std::vector<EndpointPort> ports = {};
  std::vector<EndpointRecord> endpoints = {};  ///< without ports
  bool operator==(const SliceDigest&) const = default;
};

/// Of each endpoint only the first address counts. Nothing for a slice that is not for this proxy:
/// one of no service, of names instead of addresses, or labelled for another proxy or none.
std::optional<SliceDigest> digest(const EndpointSlice& slice, const NodeFacts& node);

/// All endpoints of one port of a service, in order of address and port, each place once. Where a
/// place stands in several slices (an endpoint that moves, an address that a new pod has), the
/// entry counts that is most alive: one that does not terminate before one that does. The order
/// of the slices makes no difference.
std::vector<EndpointRecord> merge_endpoints(const std::vector<const SliceDigest*>& slices,
                                            std::string_view port_name, ServiceProtocol protocol,
                                            Family family);

}  // namespace weft::service
