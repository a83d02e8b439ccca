// nft_elements.h: a service as elements of the table's maps (nft_layout.h). Pure.
#pragma once

#include <array>
#include <functional>
#include <set>
#include <vector>

#include "net/nft.h"
#include "service/nft_layout.h"
#include "service/service_plan.h"

namespace weft::service {

using ElementsByMap = std::array<std::vector<nft::Element>, kServiceMaps>;

/// Picks by Pick::number().
struct PicksUsed {
  std::set<std::uint32_t> address = {};
  std::set<std::uint32_t> node = {};
};

/// What stands for an address without a port among fronts.
FrontKey whole_address(const IpAddress& address);
/// The endpoint of this node, as something that only one service can put into a set.
FrontKey hairpin_key(const PortPlan& port, const EndpointRecord& endpoint);

/// By what numbers the packet path remembers the endpoints of a service port with affinity.
struct Stay {
  /// Even, and no other port's; the odd one behind it is that of the endpoints for policy Local.
  /// 0: the port has no affinity.
  std::uint32_t id = 0;
  /// Of each endpoint, in the order of PortPlan's. While an endpoint is there its number stays.
  std::vector<std::uint32_t> cluster = {};
  std::vector<std::uint32_t> local = {};
  bool operator==(const Stay&) const = default;
};

/// What a service puts into the maps.
struct ServiceElements {
  const ServicePlan& plan;
  const std::vector<Stay>& stays;  ///< as many as there are ports
  /// Whether it has a front, and whether it stands for an endpoint's hairpin: others may ask for
  /// the same.
  std::function<bool(const FrontKey&)> owns_front;
  std::function<bool(const FrontKey&)> owns_hairpin;

  /// Appends to the vectors, in no particular order, some perhaps twice; `used` gets the picks.
  void append_to(ElementsByMap& elements, PicksUsed& used) const;
};

}  // namespace weft::service
