#include "matrix/pairs.h"

#include <algorithm>
#include <optional>

namespace weft::matrix {
namespace {

std::optional<PathClass> class_of(const Place& from, const Place& to) {
  const bool same_node = from.node == to.node;
  if (to.kind == PlaceKind::kService || to.kind == PlaceKind::kName) return std::nullopt;
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

std::optional<PathClass> class_of(const Place& from, const Place& service, const Front& front) {
  const bool own = std::find(service.endpoints.begin(), service.endpoints.end(), from.name) !=
                   service.endpoints.end();
  switch (front.kind) {
    case FrontKind::kClusterAddress:
      if (from.kind == PlaceKind::kNode) return PathClass::kNodeToClusterAddress;
      if (from.kind != PlaceKind::kPod) return std::nullopt;
      return own ? PathClass::kPodToOwnService : PathClass::kPodToClusterAddress;
    case FrontKind::kNodePort:
      if (from.kind != PlaceKind::kOutside) return std::nullopt;
      return PathClass::kOutsideToNodePort;
    case FrontKind::kExternalAddress:
      break;
  }
  if (from.kind != PlaceKind::kOutside) return std::nullopt;
  return PathClass::kOutsideToExternalAddress;
}

// Whether a place before this one is the same host and asks this family already.
bool is_second(const std::vector<Place>& places, std::size_t index, Family family) {
  const auto before = places.begin() + static_cast<std::ptrdiff_t>(index);
  return std::any_of(places.begin(), before, [&](const Place& other) {
    return other.netns == places[index].netns && has_family(other, family);
  });
}

void plan_fronts(const std::vector<Place>& places, std::size_t from, std::size_t to,
                 std::vector<Pair>& pairs) {
  for (std::size_t i = 0; i < places[to].fronts.size(); ++i) {
    const Front& front = places[to].fronts[i];
    const Family family = front.address.family();
    const auto path_class = class_of(places[from], places[to], front);
    if (!path_class || !has_family(places[from], family) || is_second(places, from, family))
      continue;
    pairs.push_back(
        {.path_class = *path_class, .from = from, .to = to, .target = front.address, .front = i});
  }
}

// As a pod's own resolver asks: the first server that its resolv.conf names.
void plan_questions(const std::vector<Place>& places, std::size_t from, std::size_t to,
                    std::vector<Pair>& pairs) {
  const Place& name = places[to];
  if (!name.path_class || places[from].resolvers.empty()) return;
  if (name.server && places[from].resolvers.front() != *name.server) return;
  for (const Family family : {Family::kIpv4, Family::kIpv6})
    if (has_family(name, family))
      pairs.push_back({.path_class = *name.path_class,
                       .from = from,
                       .to = to,
                       .target = places[from].resolvers.front(),
                       .asks = family});
}

}  // namespace

std::vector<Pair> plan_pairs(const std::vector<Place>& places) {
  std::vector<Pair> pairs;
  for (std::size_t from = 0; from < places.size(); ++from)
    for (std::size_t to = 0; to < places.size(); ++to) {
      plan_fronts(places, from, to, pairs);
      plan_questions(places, from, to, pairs);
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
