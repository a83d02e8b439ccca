#include "dns/cluster_zone.h"

#include <algorithm>

namespace weft::dns {
namespace {

using Kind = ZoneMatch::Kind;

// Whether a headless Service has an endpoint with a port that matches.
bool has_port(const HeadlessEndpoints& endpoints, const WantedPort& wanted) {
  return std::any_of(endpoints.ports.begin(), endpoints.ports.end(),
                     [&](const HeadlessEndpoints::Ports& ports) {
                       return ports.endpoints != 0 && wanted.matches_any(ports.set);
                     });
}

bool has_port(const ServiceRecords& service, const WantedPort& wanted) {
  if (wanted.any()) return true;
  if (service.kind == ServiceRecords::Kind::kHeadless) return has_port(*service.endpoints, wanted);
  return wanted.matches_any(service.ports);
}

// A headless Service without a ready endpoint has no name, nor has one that leads to no name.
bool has_name(const ClusterZone& zone, const ServiceRecords& service) {
  switch (service.kind) {
    case ServiceRecords::Kind::kClusterIp:
      return service.has_endpoints || !zone.options->ignore_empty_service;
    case ServiceRecords::Kind::kHeadless:
      return service.endpoints != nullptr && !service.endpoints->empty();
    case ServiceRecords::Kind::kExternalName:
      return !service.external_name.empty();
  }
  return false;
}

// "_http._tcp" out of the two labels; nothing for others.
std::optional<WantedPort> port_labels(std::string_view name, std::string_view protocol) {
  if (name.size() < 2 || name[0] != '_' || protocol.size() < 2 || protocol[0] != '_')
    return std::nullopt;
  return WantedPort{.name = name.substr(1), .protocol = protocol.substr(1)};
}

// The `above` labels in front of the zone end in NAME.NAMESPACE.svc.
ZoneMatch find_in_services(const ClusterZone& zone, const LookupName& name, std::size_t above) {
  if (above == 1) return {.kind = Kind::kEmpty};
  if (above == 2)
    return {.kind = has_namespace(zone, name.label(0)) ? Kind::kEmpty : Kind::kAbsent};
  const ServiceRecords* service = find_service(zone, name.between(above - 3, above - 1));
  if (service == nullptr) return {};
  const std::size_t more = above - 3;
  if (more == 0) return {.kind = Kind::kService, .service = service};
  const bool is_headless = service->kind == ServiceRecords::Kind::kHeadless;
  if (more == 1) {
    const std::string_view label = name.between(0, 1);
    const bool found = is_headless && (!service->endpoints->v4.with_label(label).empty() ||
                                       !service->endpoints->v6.with_label(label).empty());
    if (found) return {.kind = Kind::kEndpoint, .service = service, .label = label};
    return {};
  }
  if (more > 2 || service->kind == ServiceRecords::Kind::kExternalName) return {};
  const auto port = port_labels(name.label(0), name.label(1));
  if (!port || !has_port(*service, *port)) return {};
  return {.kind = Kind::kService, .service = service, .port = *port};
}

// ADDRESS.NAMESPACE.pod
ZoneMatch find_in_pods(const ClusterZone& zone, const LookupName& name, std::size_t above) {
  if (above == 1) return {.kind = Kind::kEmpty};
  if (zone.options->pods == PodRecords::kDisabled || above > 3 ||
      !has_namespace(zone, name.label(above - 2)))
    return {};
  if (above == 2) return {.kind = Kind::kEmpty};
  const auto address = address_of_dashed(name.label(0));
  if (!address) return {};
  return {.kind = Kind::kPod, .address = *address};
}

ZoneMatch find_forward(const ClusterZone& zone, const LookupName& name, std::size_t above) {
  const std::string_view last = name.label(above - 1);
  if (last == "svc") return find_in_services(zone, name, above);
  if (last == "pod") return find_in_pods(zone, name, above);
  if (last == "dns" && above == 1) return {.kind = Kind::kEmpty};
  if (last == "dns" && above == 2 && name.label(0) == "ns") return {.kind = Kind::kNameServer};
  if (last == "dns-version" && above == 1) return {.kind = Kind::kVersion};
  return {};
}

ZoneMatch find_reverse(const ClusterZone& zone, const LookupName& name) {
  const auto address = address_of_reverse_name(name.wire());
  const ReverseEntry* entry = address ? zone.reverse.find(*address) : nullptr;
  if (entry == nullptr) return {};
  return {.kind = Kind::kAddress, .address = *address, .owners = entry->owners.get()};
}

}  // namespace

ServedZone ServedZone::of(const Name& name) {
  const auto is_below = [&](std::string_view parent) {
    return Name::parse(parent)->contains(name);
  };
  return {.name = name.lowered(), .is_reverse = is_below("in-addr.arpa") || is_below("ip6.arpa")};
}

const ServedZone* zone_of(const ClusterZone& zone, const LookupName& name) {
  const ServedZone* best = nullptr;
  for (const ServedZone& candidate : zone.options->zones)
    if (name.labels_above(candidate.name.wire()) &&
        (best == nullptr || best->name.wire().size() < candidate.name.wire().size()))
      best = &candidate;
  return best;
}

ZoneMatch find(const ClusterZone& zone, const ServedZone& in, const LookupName& name) {
  const std::size_t above = name.labels_above(in.name.wire()).value_or(0);
  ZoneMatch match;
  if (above == 0)
    match.kind = Kind::kApex;
  else
    match = in.is_reverse ? find_reverse(zone, name) : find_forward(zone, name, above);
  match.zone = &in;
  return match;
}

const ServiceRecords* find_service(const ClusterZone& zone, std::string_view key) {
  const auto* entry = zone.services.find(key);
  if (entry == nullptr || !has_name(zone, **entry)) return nullptr;
  const std::string_view ns = key.substr(2U + byte_at(key, 0));
  if (zone.options->listed_namespaces_only && !has_namespace(zone, ns)) return nullptr;
  return entry->get();
}

bool has_namespace(const ClusterZone& zone, std::string_view name) {
  const auto& allowed = zone.options->namespaces;
  if (!allowed.empty() && !allowed.contains(name)) return false;
  return zone.namespaces->contains(name);
}

const ServedZone* primary_zone(const ZoneOptions& options) {
  for (const ServedZone& zone : options.zones)
    if (!zone.is_reverse) return &zone;
  return nullptr;
}

}  // namespace weft::dns
