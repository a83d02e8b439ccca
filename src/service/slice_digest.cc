#include "service/slice_digest.h"

#include <algorithm>
#include <tuple>

namespace weft::service {
namespace {

using namespace endpoint_marks;

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return !name.empty() && std::find(names.begin(), names.end(), name) != names.end();
}

std::uint8_t marks_of(const Endpoint& endpoint, const NodeFacts& node) {
  const auto mark = [](bool is_so, std::uint8_t bit) { return is_so ? bit : std::uint8_t{0}; };
  return static_cast<std::uint8_t>(mark(endpoint.ready, kReady) | mark(endpoint.serving, kServing) |
                                   mark(endpoint.terminating, kTerminating) |
                                   mark(!node.name.empty() && endpoint.node == node.name, kLocal) |
                                   mark(!endpoint.for_nodes.empty(), kNodeHints) |
                                   mark(contains(endpoint.for_nodes, node.name), kForThisNode) |
                                   mark(!endpoint.for_zones.empty(), kZoneHints) |
                                   mark(contains(endpoint.for_zones, node.zone), kForThisZone));
}

// The rest of the marks only makes the choice the same in any order.
auto liveness(const EndpointRecord& endpoint) {
  return std::tuple(!endpoint.has(kTerminating), endpoint.has(kReady), endpoint.has(kServing),
                    endpoint.marks);
}

}  // namespace

std::optional<SliceDigest> digest(const EndpointSlice& slice, const NodeFacts& node) {
  if (slice.service.empty() || !slice.family || slice.other_proxy || slice.headless_label)
    return std::nullopt;
  SliceDigest kept{.family = *slice.family, .ports = slice.ports};
  kept.endpoints.reserve(slice.endpoints.size());
  for (const Endpoint& endpoint : slice.endpoints)
    if (!endpoint.addresses.empty() && endpoint.addresses.front().family() == *slice.family)
      kept.endpoints.push_back(
          {.address = endpoint.addresses.front(), .marks = marks_of(endpoint, node), .port = 0});
  return kept;
}

std::vector<EndpointRecord> merge_endpoints(const std::vector<const SliceDigest*>& slices,
                                            std::string_view port_name, ServiceProtocol protocol,
                                            Family family) {
  std::vector<EndpointRecord> all;
  for (const SliceDigest* slice : slices) {
    if (slice->family != family) continue;
    for (const EndpointPort& port : slice->ports) {
      if (port.name != port_name || port.protocol != protocol || port.port == 0) continue;
      for (EndpointRecord endpoint : slice->endpoints) {
        endpoint.port = port.port;
        all.push_back(endpoint);
      }
    }
  }
  std::sort(all.begin(), all.end(), [](const EndpointRecord& left, const EndpointRecord& right) {
    return left.same_place(right) ? liveness(left) > liveness(right) : before_in_place(left, right);
  });
  const auto same_place = [](const EndpointRecord& left, const EndpointRecord& right) {
    return left.same_place(right);
  };
  all.erase(std::unique(all.begin(), all.end(), same_place), all.end());
  return all;
}

}  // namespace weft::service
