#include "service/nft_elements.h"

#include <algorithm>

#include "net/nft_rules.h"
#include "service/nft_key.h"

namespace weft::service {
namespace {

using namespace nft;
using Endpoints = std::vector<EndpointRecord>;

std::uint8_t number(ServiceProtocol protocol) {
  return static_cast<std::uint8_t>(protocol);
}
std::uint16_t usable(const Endpoints& endpoints) {
  return static_cast<std::uint16_t>(std::min<std::size_t>(endpoints.size(), Pick::kMostEndpoints));
}

bool uses_cluster(Handling handling) {
  return handling == Handling::kCluster || handling == Handling::kExternalCluster ||
         handling == Handling::kExternalLocal;
}
bool uses_local(Handling handling) {
  return handling == Handling::kLocal || handling == Handling::kExternalLocal;
}

// The elements of one port of a service.
class PortElements {
 public:
  PortElements(const ServiceElements& service, const PortPlan& port, const Stay& stay,
               ElementsByMap& elements, PicksUsed& used)
      : service_(service), port_(port), stay_(stay), elements_(elements), used_(used) {}

  void append() {
    bool any = false;
    for (const Front& front : port_.fronts) {
      if (!service_.owns_front(port_.key(front))) continue;
      any = true;
      append_front(front);
    }
    if (!any) return;
    if (port_.affinity_seconds != 0) append_stay_endpoints();
    append_hairpins();
  }

 private:
  void add(ServiceMap map, Bytes key, std::optional<Data> data = {}) {
    elements_[static_cast<std::size_t>(map)].push_back(
        {.key = std::move(key), .data = std::move(data)});
  }

  static bool is_node(const Front& front) { return front.kind == FrontKind::kNodePort; }
  Bytes front_key(const Front& front) const {
    const Bytes port = port_key(number(port_.protocol), front.port);
    return is_node(front) ? port : Bytes(front.address.bytes()) + port;
  }

  static std::uint32_t shard(const Front& front) {
    const unsigned last =
        is_node(front) ? front.port : static_cast<unsigned char>(front.address.bytes().back());
    return last % Pick::kShards;
  }

  std::uint32_t pick(const Front& front, bool local) {
    const Pick pick{.count = usable(local ? port_.local : port_.cluster),
                    .local = local,
                    .affinity_seconds = port_.affinity_seconds,
                    .shard = port_.affinity_seconds == 0 ? shard(front) : 0};
    (is_node(front) ? used_.node : used_.address).insert(pick.number());
    return pick.number();
  }

  std::uint32_t way(const Front& front) {
    const bool restricted = front.kind == FrontKind::kLoadBalancer && service_.plan.restricted;
    const auto either = [restricted](Way open, Way behind_ranges) {
      return static_cast<std::uint32_t>(restricted ? behind_ranges : open);
    };
    switch (front.handling) {
      case Handling::kReject:
        return either(Way::kReject, Way::kRestrictedReject);
      case Handling::kDrop:
        return static_cast<std::uint32_t>(Way::kDrop);
      case Handling::kCluster:
        return pick(front, false);
      case Handling::kLocal:
        return pick(front, true);
      case Handling::kExternalCluster:
        return either(Way::kExternal, Way::kRestrictedExternal);
      case Handling::kExternalLocal:
        break;
    }
    return either(Way::kExternalLocal, Way::kRestrictedExternalLocal);
  }

  void append_front(const Front& front) {
    const bool node = is_node(front);
    const bool external =
        front.handling == Handling::kExternalCluster || front.handling == Handling::kExternalLocal;
    add(node ? ServiceMap::kNodePorts : ServiceMap::kServices, front_key(front),
        number_key(way(front)));
    if (external)
      add(node ? ServiceMap::kNodeClusterPicks : ServiceMap::kClusterPicks, front_key(front),
          number_key(pick(front, false)));
    if (front.handling == Handling::kExternalLocal && !port_.local.empty())
      add(node ? ServiceMap::kNodeLocalPicks : ServiceMap::kLocalPicks, front_key(front),
          number_key(pick(front, true)));
    if (port_.affinity_seconds != 0) {
      add(node ? ServiceMap::kNodeStayIds : ServiceMap::kStayIds, front_key(front),
          number_key(stay_.id));
    } else {
      if (uses_cluster(front.handling)) append_endpoints(front, port_.cluster, 0);
      if (uses_local(front.handling)) append_endpoints(front, port_.local, Pick::kLocalSlots);
    }
    if (front.kind == FrontKind::kLoadBalancer && service_.plan.restricted) append_sources(front);
  }

  void append_endpoints(const Front& front, const Endpoints& endpoints, std::uint32_t slot) {
    const ServiceMap map = shard_of(
        is_node(front) ? ServiceMap::kNodeEndpoints : ServiceMap::kEndpoints, shard(front));
    const Bytes front_part = front_key(front);
    for (std::size_t i = 0; i < usable(endpoints); ++i)
      add(map, front_part + number_key(slot++), place_key(endpoints[i].address, endpoints[i].port));
  }

  void append_stay_endpoints() {
    append_stay_endpoints(stay_.id, port_.cluster, stay_.cluster);
    append_stay_endpoints(stay_.id + 1, port_.local, stay_.local);
  }
  void append_stay_endpoints(std::uint32_t id, const Endpoints& endpoints,
                             const std::vector<std::uint32_t>& numbers) {
    std::uint32_t slot = 0;
    for (std::size_t i = 0; i < usable(endpoints); ++i) {
      add(ServiceMap::kStaySlots, number_key(id) + number_key(slot++), number_key(numbers[i]));
      add(ServiceMap::kStayEndpoints, number_key(id) + number_key(numbers[i]),
          place_key(endpoints[i].address, endpoints[i].port));
    }
  }

  void append_sources(const Front& front) {
    for (const Prefix& range : service_.plan.allowed_sources)
      elements_[static_cast<std::size_t>(ServiceMap::kAllowedSources)].push_back(
          {.key = front_key(front) + Bytes(range.address().bytes()),
           .key_end = front_key(front) + Bytes(range.last().bytes())});
  }

  void append_hairpins() {
    for (const Endpoints* endpoints : {&port_.cluster, &port_.local})
      for (const EndpointRecord& endpoint : *endpoints) {
        if (!endpoint.has(endpoint_marks::kLocal) ||
            !service_.owns_hairpin(hairpin_key(port_, endpoint)))
          continue;
        const Bytes address(endpoint.address.bytes());
        add(ServiceMap::kHairpins,
            address + address + port_key(number(port_.protocol), endpoint.port));
      }
  }

  const ServiceElements& service_;
  const PortPlan& port_;
  const Stay& stay_;
  ElementsByMap& elements_;
  PicksUsed& used_;
};

}  // namespace

FrontKey whole_address(const IpAddress& address) {
  return {.address = address, .protocol = ServiceProtocol{}, .port = 0};
}
FrontKey hairpin_key(const PortPlan& port, const EndpointRecord& endpoint) {
  return {.address = endpoint.address, .protocol = port.protocol, .port = endpoint.port};
}

void ServiceElements::append_to(ElementsByMap& elements, PicksUsed& used) const {
  if (plan.ports.empty()) return;
  if (owns_front(whole_address(plan.cluster_ip)))
    elements[static_cast<std::size_t>(ServiceMap::kClusterIps)].push_back(
        {.key = Bytes(plan.cluster_ip.bytes())});
  for (std::size_t i = 0; i < plan.ports.size(); ++i)
    PortElements(*this, plan.ports[i], stays[i], elements, used).append();
}

}  // namespace weft::service
