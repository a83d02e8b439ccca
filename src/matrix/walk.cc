#include "matrix/walk.h"

#include <algorithm>

namespace weft::matrix {
namespace {

class Walk {
 public:
  Walk(const Place& from, const Place& from_node, const Place& to, const Place& to_node)
      : from_(from), from_node_(from_node), to_(to), to_node_(to_node) {}

  std::vector<WalkPoint> plan() {
    const bool same_node = from_node_.name == to_node_.name;
    leave_pod(same_node);
    if (!same_node) cross();
    enter_pod(same_node);
    return std::move(points_);
  }

 private:
  void pass(const Place& place, const std::string& device, bool leaving) {
    if (device.empty()) return;
    const char* joint = place.kind == PlaceKind::kNode ? " on " : " of ";
    points_.push_back({.netns = place.netns,
                       .device = device,
                       .leaving = leaving,
                       .where = device + joint + place.name});
  }

  void leave_pod(bool same_node) {
    if (from_.kind != PlaceKind::kPod) return;
    pass(from_, from_.uplink, true);
    pass(from_node_, from_.host_device, false);
    // A frame that is bridged to another port never enters the bridge device itself.
    if (!same_node || to_.kind != PlaceKind::kPod) pass(from_node_, from_node_.bridge, false);
  }

  // Only pods' packets to pods go through the overlay; what is for a node or the world outside
  // leaves by the uplink. A node's packets to a pod go through it too.
  bool overlaid() const {
    const auto inside = [](const Place& place) { return place.kind != PlaceKind::kOutside; };
    return inside(from_) && inside(to_) && to_.kind == PlaceKind::kPod;
  }

  void cross() {
    if (overlaid()) pass(from_node_, from_node_.overlay_device, true);
    pass(from_node_, from_node_.uplink, true);
    pass(to_node_, to_node_.uplink, false);
    if (overlaid()) pass(to_node_, to_node_.overlay_device, false);
  }

  void enter_pod(bool same_node) {
    if (to_.kind != PlaceKind::kPod) return;
    if (!same_node || from_.kind != PlaceKind::kPod) pass(to_node_, to_node_.bridge, true);
    pass(to_node_, to_.host_device, true);
    pass(to_, to_.uplink, false);
  }

  const Place& from_;
  const Place& from_node_;
  const Place& to_;
  const Place& to_node_;
  std::vector<WalkPoint> points_;
};

std::string passing(const WalkPoint& point) {
  return (point.leaving ? "leaving " : "entering ") + point.where;
}

// The point behind the last one that saw the burst; the end when all of them did.
std::vector<Seen>::const_iterator first_unseen(const std::vector<Seen>& walk, std::uint64_t burst) {
  const auto last = std::find_if(walk.rbegin(), walk.rend(),
                                 [&](const Seen& seen) { return seen.packets >= burst; });
  return last.base();
}

std::string stopped_at(const std::vector<Seen>& walk, std::vector<Seen>::const_iterator unseen) {
  const std::string last = unseen == walk.begin()
                               ? "never seen, not even " + passing(unseen->point)
                               : "last seen " + passing(std::prev(unseen)->point);
  const std::string next = unseen == walk.begin() ? "" : ", not on " + unseen->point.where;
  if (unseen->dropped == 0) return last + next;
  return last + next + ", which dropped " + std::to_string(unseen->dropped) +
         (unseen->dropped == 1 ? " packet" : " packets");
}

}  // namespace

std::vector<WalkPoint> plan_walk(const Place& from, const Place& from_node, const Place& to,
                                 const Place& to_node) {
  return Walk(from, from_node, to, to_node).plan();
}

std::string last_seen(const std::vector<Seen>& there, const std::vector<Seen>& back,
                      std::uint64_t burst, const std::string& target) {
  if (const auto unseen = first_unseen(there, burst); unseen != there.end())
    return stopped_at(there, unseen);
  if (const auto unseen = first_unseen(back, burst); unseen != back.end()) {
    if (unseen == back.begin()) return "it reached " + target + ", which did not answer";
    return "it reached " + target + "; the answer was " + stopped_at(back, unseen);
  }
  return "it reached " + target + ", and the answer came back and was not taken";
}

}  // namespace weft::matrix
