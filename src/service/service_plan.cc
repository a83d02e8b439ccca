#include "service/service_plan.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "net/ranges.h"

namespace weft::service {
namespace {

using Action = Verdict::Action;

std::optional<IpAddress> of_family(const std::vector<IpAddress>& addresses, Family family) {
  for (const auto& address : addresses)
    if (address.family() == family) return address;
  return std::nullopt;
}

bool within(const std::vector<Prefix>& ranges, const IpAddress& address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Prefix& range) { return range.contains(address); });
}

// The addresses of that family that the operator lets services have.
std::vector<IpAddress> permitted(const std::vector<IpAddress>& addresses, Family family,
                                 const PlanOptions& options) {
  std::vector<IpAddress> some;
  for (const auto& address : addresses)
    if (address.family() == family &&
        (options.external_ranges.empty() || within(options.external_ranges, address)))
      some.push_back(address);
  return some;
}

Handling inside_handling(const EndpointChoice& choice, TrafficPolicy policy) {
  if (!choice.has_any) return Handling::kReject;
  if (policy == TrafficPolicy::kCluster) return Handling::kCluster;
  return choice.local.empty() ? Handling::kDrop : Handling::kLocal;
}

Handling outside_handling(const EndpointChoice& choice, TrafficPolicy policy) {
  if (!choice.has_any) return Handling::kReject;
  return policy == TrafficPolicy::kCluster ? Handling::kExternalCluster : Handling::kExternalLocal;
}

class Planner {
 public:
  Planner(const ServiceDigest& service, const IpAddress& cluster_ip, const PlanOptions& options)
      : service_(service),
        cluster_ip_(cluster_ip),
        family_(cluster_ip.family()),
        load_balancer_ips_(permitted(service.load_balancer_ips, family_, options)),
        external_ips_(permitted(service.external_ips, family_, options)) {}

  PortPlan plan(const PortDigest& port, const std::vector<const SliceDigest*>& slices) const {
    const bool external =
        port.node_port != 0 || !load_balancer_ips_.empty() || !external_ips_.empty();
    const bool inside_local = service_.internal_policy == TrafficPolicy::kLocal;
    const bool outside_local = external && service_.external_policy == TrafficPolicy::kLocal;
    // Outside traffic of policy Local needs the others, too: for what comes from this node.
    EndpointChoice choice = choose_endpoints(
        merge_endpoints(slices, port.name, port.protocol, family_),
        {.cluster = !inside_local || external, .local = inside_local || outside_local});
    PortPlan plan{.name = port.name,
                  .protocol = port.protocol,
                  .affinity_seconds = service_.affinity_seconds};
    plan.fronts = fronts(port, inside_handling(choice, service_.internal_policy),
                         outside_handling(choice, service_.external_policy));
    plan.cluster = std::move(choice.cluster);
    plan.local = std::move(choice.local);
    return plan;
  }

  // Who may use the load balancer's addresses. If the node itself may, so may those addresses:
  // some bind them to the node, and it then speaks to itself from them.
  void restrict(ServicePlan& plan, const NodeFacts& node) const {
    for (const auto& range : service_.source_ranges)
      if (range.family() == family_) plan.allowed_sources.push_back(range);
    // Ranges of the other family alone leave this one open; ranges that nobody can read do not.
    plan.restricted = service_.has_source_ranges &&
                      (!plan.allowed_sources.empty() || service_.source_ranges.empty());
    const auto own = of_family(node.addresses, family_);
    if (own && within(plan.allowed_sources, *own))
      for (const auto& address : load_balancer_ips_)
        plan.allowed_sources.push_back(Prefix::host(address));
    drop_nested(plan.allowed_sources);
  }

 private:
  // A load balancer's address comes before the same one among the external addresses, so that its
  // restrictions hold.
  std::vector<Front> fronts(const PortDigest& port, Handling inside, Handling outside) const {
    std::vector<Front> all;
    const auto add = [&](FrontKind kind, Handling handling, const IpAddress& address,
                         std::uint16_t number) {
      const bool twice = std::any_of(all.begin(), all.end(), [&](const Front& other) {
        return other.kind != FrontKind::kNodePort && other.address == address;
      });
      if (!twice)
        all.push_back({.kind = kind, .handling = handling, .port = number, .address = address});
    };
    add(FrontKind::kClusterIp, inside, cluster_ip_, port.port);
    for (const auto& address : load_balancer_ips_)
      add(FrontKind::kLoadBalancer, outside, address, port.port);
    for (const auto& address : external_ips_)
      add(FrontKind::kExternalIp, outside, address, port.port);
    if (port.node_port != 0)
      add(FrontKind::kNodePort, outside, IpAddress::any(family_), port.node_port);
    return all;
  }

  const ServiceDigest& service_;
  const IpAddress cluster_ip_;
  const Family family_;
  const std::vector<IpAddress> load_balancer_ips_;
  const std::vector<IpAddress> external_ips_;
};

// Two ports with one node port: the first has it.
void drop_doubles(std::vector<PortPlan>& ports) {
  std::set<FrontKey> seen;
  for (PortPlan& port : ports)
    std::erase_if(port.fronts,
                  [&](const Front& front) { return !seen.insert(port.key(front)).second; });
}

}  // namespace

ServicePlan plan_service(const ServiceDigest& service,
                         const std::vector<const SliceDigest*>& slices, Family family,
                         const PlanOptions& options) {
  const auto cluster_ip = of_family(service.cluster_ips, family);
  if (!cluster_ip) return {};
  const Planner planner(service, *cluster_ip, options);
  ServicePlan plan{.cluster_ip = *cluster_ip};
  plan.ports.reserve(service.ports.size());
  for (const PortDigest& port : service.ports) plan.ports.push_back(planner.plan(port, slices));
  if (plan.ports.size() > 1) drop_doubles(plan.ports);
  planner.restrict(plan, options.node);
  if (service.external_policy == TrafficPolicy::kLocal)
    plan.health_check_port = service.health_check_node_port;
  return plan;
}

Verdict verdict_for(const PortPlan& port, const Front& front, Source source,
                    const MasqueradeRules& rules) {
  const bool leaves_foreign = rules.all || (rules.detects_pods && source != Source::kLocalPod);
  switch (front.handling) {
    case Handling::kReject:
      return {.action = Action::kReject};
    case Handling::kDrop:
      return {.action = Action::kDrop};
    case Handling::kCluster:
      return {.action = Action::kForward, .masquerade = leaves_foreign};
    case Handling::kLocal:
      return {.action = Action::kForward, .to_local_set = true, .masquerade = leaves_foreign};
    case Handling::kExternalCluster:
      return {.action = Action::kForward, .masquerade = true};
    case Handling::kExternalLocal:
      break;
  }
  if (source != Source::kElsewhere)
    return {.action = Action::kForward, .masquerade = source == Source::kNode};
  if (port.local.empty()) return {.action = Action::kDrop};
  return {.action = Action::kForward, .to_local_set = true};
}

bool may_use(const ServicePlan& service, const Front& front, const IpAddress& source) {
  return front.kind != FrontKind::kLoadBalancer || !service.restricted ||
         within(service.allowed_sources, source);
}

}  // namespace weft::service
