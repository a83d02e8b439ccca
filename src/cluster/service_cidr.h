// service_cidr.h: a ServiceCIDR of Kubernetes: ranges out of which Services get their addresses.
// Pure.
//
// Source: k8s.io/api/networking/v1 (ServiceCIDR).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "net/address.h"

namespace weft {

struct ServiceCidr {
  std::string name = {};
  std::vector<Prefix> ranges = {};  ///< spec.cidrs, one a family at most where the API checked it
  /// What was left out, and why: what is no range, or is all addresses that there are.
  std::vector<std::string> faults = {};

  /// Reads the protobuf message of the API (cluster/kube_fields.h).
  static Result<ServiceCidr> parse(std::string_view message);
  /// Reads a manifest: keys as the API spells them.
  static Result<ServiceCidr> read(const Json& manifest);
  bool operator==(const ServiceCidr&) const = default;
};

}  // namespace weft
