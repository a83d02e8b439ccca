#include "service/endpoint_choice.h"

#include <algorithm>

namespace weft::service {
namespace {

using namespace endpoint_marks;
using Endpoints = std::vector<EndpointRecord>;

template <class Test>
Endpoints those(const Endpoints& all, Test test) {
  Endpoints some;
  std::copy_if(all.begin(), all.end(), std::back_inserter(some), test);
  return some;
}

// Hints of a kind count when every ready endpoint has some, and one is for here: half a set of
// hints is one that is being written.
bool hints_count(const Endpoints& all, std::uint8_t hinted, std::uint8_t for_here) {
  bool one_for_here = false;
  for (const auto& endpoint : all) {
    if (!endpoint.has(kReady)) continue;
    if (!endpoint.has(hinted)) return false;
    one_for_here = one_for_here || endpoint.has(for_here);
  }
  return one_for_here;
}

// The mark that a ready endpoint must have to be used; 0: none.
std::uint8_t topology_mark(const Endpoints& all) {
  if (hints_count(all, kNodeHints, kForThisNode)) return kForThisNode;
  if (hints_count(all, kZoneHints, kForThisZone)) return kForThisZone;
  return 0;
}

}  // namespace

EndpointChoice choose_endpoints(const Endpoints& all, const SetsUsed& used) {
  EndpointChoice choice;
  choice.has_any = std::any_of(all.begin(), all.end(), [](const EndpointRecord& endpoint) {
    return endpoint.has(kReady) || endpoint.is_last_resort();
  });
  if (used.cluster) {
    const std::uint8_t wanted = topology_mark(all);
    choice.cluster = those(all, [wanted](const EndpointRecord& endpoint) {
      return endpoint.has(kReady) && (wanted == 0 || endpoint.has(wanted));
    });
    if (choice.cluster.empty())
      choice.cluster =
          those(all, [](const EndpointRecord& endpoint) { return endpoint.is_last_resort(); });
  }
  if (used.local) {
    choice.local = those(all, [](const EndpointRecord& endpoint) {
      return endpoint.has(kLocal) && endpoint.has(kReady);
    });
    if (choice.local.empty())
      choice.local = those(all, [](const EndpointRecord& endpoint) {
        return endpoint.has(kLocal) && endpoint.is_last_resort();
      });
  }
  return choice;
}

}  // namespace weft::service
