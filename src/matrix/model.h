// model.h: who is probed, over which kind of path, and what came back. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/marks.h"
#include "net/address.h"

namespace weft::matrix {

enum class PlaceKind { kPod, kNode, kOutside };

/// Somebody who sends or answers probes.
struct Place {
  std::string name = {};
  PlaceKind kind = PlaceKind::kPod;
  std::string node = {};   ///< the node it is or stands on; empty for the outside host
  std::string netns = {};  ///< a path
  std::vector<IpAddress> addresses = {};  ///< where it is probed; at most one a family
  std::vector<IpAddress> own = {};        ///< all of a node's addresses
  std::string uplink = "eth0";            ///< its device towards the others
  std::string host_device = {};           ///< a pod's veth on its node
  std::string bridge = "cni0";            ///< that a node's pods are on
  std::string overlay_device = {};        ///< a node's tunnel device; empty without one
  bool answers = true;                    ///< the responder runs in it
};

enum class PathClass {
  kPodToPodSameNode,
  kPodToPodOtherNode,
  kPodToOwnNode,
  kPodToOtherNode,
  kNodeToPod,
  kPodToOutside,
};
inline constexpr PathClass kPathClasses[] = {
    PathClass::kPodToPodSameNode, PathClass::kPodToPodOtherNode, PathClass::kPodToOwnNode,
    PathClass::kPodToOtherNode,   PathClass::kNodeToPod,         PathClass::kPodToOutside};

/// "pod-to-pod-same-node": in JSON.
std::string to_string(PathClass path_class);
/// "pod to pod, same node": for people.
std::string describe(PathClass path_class);

enum class Protocol { kIcmp, kTcp, kUdp };
std::string to_string(Protocol protocol);

/// One thing to probe. The indices count in the list of places.
struct Pair {
  PathClass path_class = PathClass::kPodToPodSameNode;
  std::size_t from = 0;
  std::size_t to = 0;
  IpAddress target = {};
};

/// What the probes of one protocol between two places brought.
struct ProbeResult {
  Protocol protocol = Protocol::kIcmp;
  unsigned sent = 0;
  unsigned answered = 0;
  std::optional<std::uint32_t> rtt_us = {};      ///< the shortest
  std::optional<int> hops = {};                  ///< routers on the way, from the TTL
  std::optional<IpAddress> source_seen = {};     ///< who the target says had asked
  std::optional<std::uint32_t> mtu = {};         ///< the largest packet that passed unfragmented
  std::optional<std::uint32_t> device_mtu = {};  ///< the size that the sender's route allows
  std::string refusal = {};                      ///< an error that came back instead of an answer
};

struct Verdict {
  Mark mark = Mark::kFine;
  std::string reason = {};  ///< a plain sentence; empty when all is fine
};

/// A probed pair and protocol, judged.
struct Cell {
  Pair pair = {};
  ProbeResult result = {};
  Verdict verdict = {};
};

struct Report {
  std::vector<Place> places = {};
  std::vector<Cell> cells = {};
};

}  // namespace weft::matrix
