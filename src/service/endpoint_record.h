// endpoint_record.h: what the service proxy keeps of an endpoint: 20 bytes.
//
// A node holds a quarter of a million of them where a cluster is large, so names (of nodes, zones,
// pods) are weighed once, when a slice comes in, and only the answer stays.
#pragma once

#include <compare>
#include <cstdint>

#include "net/address.h"

namespace weft::service {

/// One bit each.
namespace endpoint_marks {
inline constexpr std::uint8_t kReady = 1;
inline constexpr std::uint8_t kServing = 2;
inline constexpr std::uint8_t kTerminating = 4;
inline constexpr std::uint8_t kLocal = 8;         ///< on this node
inline constexpr std::uint8_t kNodeHints = 16;    ///< it is meant for certain nodes
inline constexpr std::uint8_t kForThisNode = 32;  ///< and this is one of them
inline constexpr std::uint8_t kZoneHints = 64;    ///< it is meant for certain zones
inline constexpr std::uint8_t kForThisZone = 128;
}  // namespace endpoint_marks

struct EndpointRecord {
  IpAddress address = {};
  std::uint8_t marks = 0;
  std::uint16_t port = 0;

  bool has(std::uint8_t mark) const { return (marks & mark) != 0; }
  /// Takes connections although its pod is on the way out.
  bool is_last_resort() const {
    using namespace endpoint_marks;
    return has(kServing) && has(kTerminating);
  }
  /// Where traffic would go: what two records of one endpoint have in common.
  bool same_place(const EndpointRecord& other) const {
    return address == other.address && port == other.port;
  }
  bool operator==(const EndpointRecord&) const = default;
};
static_assert(sizeof(EndpointRecord) == 20);

/// By address, then port.
inline bool before_in_place(const EndpointRecord& left, const EndpointRecord& right) {
  if (const auto order = left.address <=> right.address; order != 0) return order < 0;
  return left.port < right.port;
}

}  // namespace weft::service
