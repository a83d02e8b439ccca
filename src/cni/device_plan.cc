#include "cni/device_plan.h"

#include <limits>

namespace weft::cni {
namespace {

std::string to_string(MacvlanMode mode) {
  switch (mode) {
    case MacvlanMode::kPrivate:
      return "private";
    case MacvlanMode::kVepa:
      return "vepa";
    case MacvlanMode::kBridge:
      return "bridge";
    case MacvlanMode::kPassthru:
      return "passthru";
  }
  return "number " + std::to_string(static_cast<std::uint32_t>(mode));
}

std::string to_string(IpvlanMode mode) {
  switch (mode) {
    case IpvlanMode::kL2:
      return "l2";
    case IpvlanMode::kL3:
      return "l3";
    case IpvlanMode::kL3s:
      return "l3s";
  }
  return "number " + std::to_string(static_cast<std::uint16_t>(mode));
}

CniFailure other_mode(const char* kind, const std::string& present, const std::string& wanted) {
  return refuse("Container " + std::string(kind) + " mode " + present +
                " does not match expected value: " + wanted);
}

std::optional<LinkIndex> default_link(const std::vector<Route>& routes) {
  const Route* best = nullptr;
  for (const auto& route : routes)
    if (route.key.destination.is_default() && route.type == RouteType::kUnicast &&
        !route.hops.empty() && (best == nullptr || route.key.metric < best->key.metric))
      best = &route;
  return best == nullptr ? std::nullopt : std::optional(best->hops[0].link);
}

// Who is not named may be anybody: a device of another maker is as good.
CniStatus compare_tap(const TapOptions& wanted, const Link& present) {
  if (!present.tap) return refuse("Container interface " + present.name + " is not a TAP device");
  if (wanted.multi_queue != present.tap->multi_queue)
    return refuse(present.name + (wanted.multi_queue ? " has one queue, configured are several"
                                                     : " has several queues, configured is one"));
  const auto differs = [](const auto& asked, const auto& there) { return asked && asked != there; };
  if (differs(wanted.owner, present.tap->owner))
    return refuse("the owner of " + present.name + " is not " + std::to_string(*wanted.owner));
  if (differs(wanted.group, present.tap->group))
    return refuse("the group of " + present.name + " is not " + std::to_string(*wanted.group));
  return {};
}

}  // namespace

DevicePlan::Parent read_parent(ObjectReader& config) {
  DevicePlan::Parent parent;
  config.read("master", parent.name);
  config.read("linkInContainer", parent.in_container);
  return parent;
}

CniStatus check_mtu(const DevicePlan& plan, const Link* parent) {
  if (parent == nullptr) {
    if (plan.mtu >= 0 && plan.mtu <= std::numeric_limits<std::int32_t>::max()) return {};
    return refuse("invalid MTU " + std::to_string(plan.mtu));
  }
  if (plan.mtu >= 0 && plan.mtu <= parent->mtu) return {};
  return refuse("invalid MTU " + std::to_string(plan.mtu) + ", must be [0, master MTU(" +
                std::to_string(parent->mtu) + ")]");
}

std::optional<LinkIndex> default_route_link(const std::vector<Route>& ipv4,
                                            const std::vector<Route>& ipv6) {
  const auto link = default_link(ipv4);
  return link ? link : default_link(ipv6);
}

CniStatus compare_device(const DevicePlan& plan, const Link& present) {
  const Link& wanted = plan.device;
  if (!wanted.kind.empty() && present.kind != wanted.kind)
    return refuse("Container interface " + present.name + " not of type " + wanted.kind);
  if (wanted.macvlan && present.macvlan && wanted.macvlan->mode != present.macvlan->mode)
    return other_mode("macvlan", to_string(present.macvlan->mode), to_string(wanted.macvlan->mode));
  if (wanted.ipvlan && present.ipvlan && wanted.ipvlan != present.ipvlan)
    return other_mode("IPVlan", to_string(present.ipvlan->mode), to_string(wanted.ipvlan->mode));
  if (wanted.vlan && present.vlan && wanted.vlan != present.vlan)
    return refuse("VLAN ID of " + present.name + " is " + std::to_string(present.vlan->id) +
                  ", configured is " + std::to_string(wanted.vlan->id));
  if (wanted.tap) return compare_tap(*wanted.tap, present);
  return {};
}

}  // namespace weft::cni
