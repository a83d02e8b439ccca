// flow.h: flows as the kernel follows them.
#pragma once

#include <compare>
#include <cstdint>

#include "net/address.h"

namespace weft {

/// One direction of a flow.
struct FlowTuple {
  IpAddress source = {};
  IpAddress destination = {};
  std::uint8_t protocol = 0;  ///< IPPROTO_*
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  auto operator<=>(const FlowTuple&) const = default;
};

/// An entry of the connection table.
struct ConntrackEntry {
  FlowTuple original = {};  ///< as the first packet came
  FlowTuple reply = {};     ///< as answers come: its source is where the flow was sent to
  std::uint16_t zone = 0;
  std::uint32_t id = 0;  ///< tells an entry from a later one of the same flow
  auto operator<=>(const ConntrackEntry&) const = default;
};

}  // namespace weft
