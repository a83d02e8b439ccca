// result.h: what an ADD gives back, and its JSON in every version of the specification.
//
// Inside weft a result has the shape of version 1.1; encode_result() and decode_result()
// convert at the edge. Source: CNI SPEC.md, containernetworking/cni pkg/types/{020,040,100}.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "cni/cni_error.h"
#include "net/address.h"

namespace weft::cni {

struct ResultInterface {
  std::string name = {};
  std::string mac = {};
  std::string sandbox = {};  ///< the namespace's path; empty for a device of the host
  std::int64_t mtu = 0;      ///< 0: not told
  std::string socket_path = {};
  std::string pci_id = {};
  bool operator==(const ResultInterface&) const = default;
};

struct ResultIp {
  std::optional<int> interface = {};  ///< index into AddResult::interfaces
  InterfaceAddress address = {};
  std::optional<IpAddress> gateway = {};
  bool operator==(const ResultIp&) const = default;
};

struct ResultRoute {
  Prefix destination = {};
  std::optional<IpAddress> gateway = {};
  std::uint32_t mtu = 0;
  std::uint32_t advmss = 0;
  std::uint32_t priority = 0;
  std::optional<std::uint32_t> table = {};
  std::optional<std::uint32_t> scope = {};
  bool operator==(const ResultRoute&) const = default;
};

struct Dns {
  std::vector<std::string> nameservers = {};
  std::string domain = {};
  std::vector<std::string> search = {};
  std::vector<std::string> options = {};
  bool operator==(const Dns&) const = default;
  bool empty() const { return *this == Dns{}; }
};

struct AddResult {
  std::vector<ResultInterface> interfaces = {};
  std::vector<ResultIp> ips = {};
  std::vector<ResultRoute> routes = {};
  Dns dns = {};
  bool operator==(const AddResult&) const = default;
};

/// Fails for a version that has no result form, and for 0.1.0 and 0.2.0 when there is no
/// address: they know nothing else.
CniResult<Json> encode_result(const AddResult& result, std::string_view version);

/// Reads a result of the version that it names, or of `version` when it names none.
CniResult<AddResult> decode_result(const Json& json, std::string_view version);

/// The `prevResult` of a configuration; nothing when it has none. Its version must be the
/// configuration's.
CniResult<std::optional<AddResult>> previous_result(const Json& config, std::string_view version);

/// The `dns` of a configuration or result.
Dns read_dns(ObjectReader& reader);

/// The `routes` of a result or an IPAM configuration.
CniResult<std::vector<ResultRoute>> read_routes(const Json* list, const std::string& where);

}  // namespace weft::cni
