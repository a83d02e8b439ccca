#include "matrix/pairs.h"

#include <algorithm>
#include <optional>

namespace weft::matrix {
namespace {

std::optional<PathClass> class_of(const Place& from, const Place& to) {
  const bool same_node = from.node == to.node;
  if (from.kind == PlaceKind::kPod) {
    if (to.kind == PlaceKind::kOutside) return PathClass::kPodToOutside;
    if (to.kind == PlaceKind::kNode)
      return same_node ? PathClass::kPodToOwnNode : PathClass::kPodToOtherNode;
    return same_node ? PathClass::kPodToPodSameNode : PathClass::kPodToPodOtherNode;
  }
  if (from.kind == PlaceKind::kNode && to.kind == PlaceKind::kPod) return PathClass::kNodeToPod;
  return std::nullopt;
}

bool has_family(const Place& place, Family family) {
  return std::any_of(place.addresses.begin(), place.addresses.end(),
                     [&](const IpAddress& address) { return address.family() == family; });
}

}  // namespace

std::vector<Pair> plan_pairs(const std::vector<Place>& places) {
  std::vector<Pair> pairs;
  for (std::size_t from = 0; from < places.size(); ++from)
    for (std::size_t to = 0; to < places.size(); ++to) {
      const auto path_class = class_of(places[from], places[to]);
      if (from == to || !path_class) continue;
      for (const auto& target : places[to].addresses)
        if (has_family(places[from], target.family()))
          pairs.push_back({.path_class = *path_class, .from = from, .to = to, .target = target});
    }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.path_class < b.path_class; });
  return pairs;
}

}  // namespace weft::matrix
