// model.h: who is probed, over which kind of path, and what came back. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/marks.h"
#include "net/address.h"

namespace weft::matrix {

enum class PlaceKind { kPod, kNode, kOutside, kService, kName };

/// How the nodes' proxies hand on what comes to a service.
enum class ProxyStyle {
  kRewritten,  ///< in the kernel: the sender stays who it is, unless it has to be masqueraded
  kProxied,    ///< through a process of the node, whose own connection the endpoint sees
};

/// Where a service is asked.
enum class FrontKind { kClusterAddress, kNodePort, kExternalAddress };
struct Front {
  FrontKind kind = FrontKind::kClusterAddress;
  IpAddress address = {};
  std::uint16_t port = 0;
  bool udp = false;  ///< else TCP
};

enum class PathClass;

/// Somebody who sends or answers probes.
struct Place {
  std::string name = {};
  PlaceKind kind = PlaceKind::kPod;
  std::string node = {};   ///< the node it is or stands on; empty for the outside host
  std::string netns = {};  ///< a path
  /// Where it is probed, at most one a family; of a name, what it stands for.
  std::vector<IpAddress> addresses = {};
  std::vector<IpAddress> own = {};        ///< all that a node or the outside host has
  std::string uplink = "eth0";            ///< its device towards the others
  std::string host_device = {};           ///< a pod's veth on its node
  std::string bridge = "cni0";            ///< that a node's pods are on
  std::string overlay_device = {};        ///< a node's tunnel device; empty without one
  bool answers = true;                    ///< the responder runs in it
  std::vector<IpAddress> resolvers = {};  ///< a pod's DNS servers, in the order of its resolv.conf
  // Of a service:
  std::vector<Front> fronts = {};
  std::vector<std::string> endpoints = {};  ///< the places that are its ready endpoints
  ProxyStyle style = ProxyStyle::kRewritten;
  bool only_local = false;  ///< from outside only to endpoints on the node that was asked
  bool sticky = false;      ///< a client keeps its endpoint
  // Of a name:
  std::optional<PathClass> path_class = {};
  std::optional<IpAddress> server = {};  ///< the only one that has to know it; any when absent
};

enum class PathClass {
  kPodToPodSameNode,
  kPodToPodOtherNode,
  kPodToOwnNode,
  kPodToOtherNode,
  kNodeToPod,
  kPodToOutside,
  kPodToClusterAddress,
  kNodeToClusterAddress,
  kPodToOwnService,
  kOutsideToNodePort,
  kOutsideToExternalAddress,
  kPodToClusterName,
  kPodToHeadlessName,
  kPodToOutsideName,
};
inline constexpr PathClass kPathClasses[] = {PathClass::kPodToPodSameNode,
                                             PathClass::kPodToPodOtherNode,
                                             PathClass::kPodToOwnNode,
                                             PathClass::kPodToOtherNode,
                                             PathClass::kNodeToPod,
                                             PathClass::kPodToOutside,
                                             PathClass::kPodToClusterAddress,
                                             PathClass::kNodeToClusterAddress,
                                             PathClass::kPodToOwnService,
                                             PathClass::kOutsideToNodePort,
                                             PathClass::kOutsideToExternalAddress,
                                             PathClass::kPodToClusterName,
                                             PathClass::kPodToHeadlessName,
                                             PathClass::kPodToOutsideName};
/// Of a service or a name: in a lab without them there is nothing to say about it.
constexpr bool is_to_service(PathClass path_class) {
  return path_class >= PathClass::kPodToClusterAddress;
}

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
  std::optional<std::size_t> front = {};  ///< of a service: which of its fronts
  std::optional<Family> asks = {};        ///< of a name: for its addresses of this family
};

/// Who answered, and whom it saw; of a name, an address that the server told.
struct Answer {
  std::string name = {};
  IpAddress source = {};
  unsigned count = 0;
};

/// What the probes of one protocol between two places brought.
struct ProbeResult {
  Protocol protocol = Protocol::kIcmp;
  unsigned sent = 0;
  unsigned answered = 0;
  std::optional<std::uint32_t> rtt_us = {};      ///< the shortest
  std::optional<int> hops = {};                  ///< routers on the way, from the TTL
  std::optional<IpAddress> source_seen = {};     ///< who the target says had asked, last
  std::vector<Answer> answers = {};              ///< each name and source once
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
