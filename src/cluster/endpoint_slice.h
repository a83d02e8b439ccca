// endpoint_slice.h: a Kubernetes EndpointSlice: some of the endpoints of a Service.
//
// One Service may have many, of either family, and an endpoint may stand in two of them while it
// moves. Merging them is the reader's part. Pure.
//
// Source: k8s.io/api/discovery/v1 (EndpointSlice).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cluster/service.h"
#include "net/address.h"

namespace weft {

struct EndpointPort {
  std::string name = {};
  ServiceProtocol protocol = ServiceProtocol::kTcp;
  std::uint16_t port = 0;  ///< 0: not said, which stands for all ports
  auto operator<=>(const EndpointPort&) const = default;
};

struct Endpoint {
  /// All are the same endpoint, and a proxy uses the first. Never empty.
  std::vector<IpAddress> addresses = {};
  // Conditions, with the API's meaning of one that is not said.
  bool ready = true;
  bool serving = true;
  bool terminating = false;
  std::string hostname = {};
  std::string node = {};
  std::string zone = {};
  /// The name of the Pod that targetRef names, or empty.
  std::string pod = {};
  /// hints.forZones, hints.forNodes.
  std::vector<std::string> for_zones = {};
  std::vector<std::string> for_nodes = {};
  bool operator==(const Endpoint&) const = default;
};

struct EndpointSlice {
  std::string ns = {};
  std::string name = {};
  std::string version = {};  ///< resourceVersion
  /// Label kubernetes.io/service-name. Empty: of no Service.
  std::string service = {};
  /// Nothing where addressType is FQDN or unknown: then there are no endpoints either.
  std::optional<Family> family = {};
  std::vector<EndpointPort> ports = {};
  std::vector<Endpoint> endpoints = {};
  /// Annotation endpoints.kubernetes.io/last-change-trigger-time, RFC 3339, or empty.
  std::string trigger_time = {};
  bool other_proxy = false;     ///< label service.kubernetes.io/service-proxy-name
  bool headless_label = false;  ///< label service.kubernetes.io/headless
  /// What was left out, each as one sentence.
  std::vector<std::string> faults = {};

  ServiceName service_name() const { return {ns, service}; }

  /// Reads an EndpointSlice's protobuf message. An Error where it is none, or has no name.
  static Result<EndpointSlice> parse(std::string_view message);
  /// Reads a manifest: keys as the API spells them, in any case.
  static Result<EndpointSlice> read(const Json& manifest);

  bool operator==(const EndpointSlice&) const = default;
};

}  // namespace weft
