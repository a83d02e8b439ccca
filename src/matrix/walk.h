// walk.h: the devices that a packet between two places passes, and where it was last seen. Pure.
//
// The walk of a packet from pod to pod on another node:
//
//     pod eth0 > veth > cni0 > flannel.1 > eth0  =>  eth0 > flannel.1 > cni0 > veth > pod eth0
//
// Each device counts what it sends and receives, so that a burst of probes shows how far it came.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "matrix/model.h"

namespace weft::matrix {

struct WalkPoint {
  std::string netns = {};  ///< a path
  std::string device = {};
  bool leaving = false;    ///< counted as sent by the device, else as received
  std::string where = {};  ///< "flannel.1 on node1", "eth0 of node1-pod1"
  auto operator<=>(const WalkPoint&) const = default;
};

/// From one place to another. `from_node` and `to_node` are the nodes they are or stand on; the
/// outside host is its own.
std::vector<WalkPoint> plan_walk(const Place& from, const Place& from_node, const Place& to,
                                 const Place& to_node);

/// What a point's device counted during the burst.
struct Seen {
  WalkPoint point = {};
  std::uint64_t packets = 0;
  std::uint64_t dropped = 0;
};

/// "last seen leaving flannel.1 on node1, not on eth0 of node2". A point has seen the burst when
/// it counted at least `burst` packets. `back` is the walk of the answers.
std::string last_seen(const std::vector<Seen>& there, const std::vector<Seen>& back,
                      std::uint64_t burst, const std::string& target);

}  // namespace weft::matrix
