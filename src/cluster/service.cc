#include "cluster/service.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "cluster/object_texts.h"
#include "cluster/service_text.h"

namespace weft {
namespace {

// The API's default and its limits.
constexpr std::int64_t kAffinitySeconds = 10800;
constexpr std::int64_t kLongestAffinity = 86400;

ServiceType read_type(const std::string& text, Faults& faults) {
  if (text == "NodePort") return ServiceType::kNodePort;
  if (text == "LoadBalancer") return ServiceType::kLoadBalancer;
  if (text == "ExternalName") return ServiceType::kExternalName;
  if (!text.empty() && text != "ClusterIP")
    faults.add("type", shown(text) + " is unknown, it is taken as ClusterIP");
  return ServiceType::kClusterIp;
}

TrafficPolicy read_policy(const std::string& text, std::string_view field, Faults& faults) {
  if (text == "Local") return TrafficPolicy::kLocal;
  if (!text.empty() && text != "Cluster")
    faults.add(field, shown(text) + " is unknown, it is taken as Cluster");
  return TrafficPolicy::kCluster;
}

void read_cluster_ips(const ServiceText& text, Service& service, Faults& faults) {
  std::vector<std::string> spelled = text.cluster_ips;
  if (spelled.empty() && !text.cluster_ip.empty()) spelled = {text.cluster_ip};
  if (!spelled.empty() && spelled.front() == "None") {
    service.headless = true;
    return;
  }
  for (const auto& address : usable_addresses(spelled, "clusterIPs", faults)) {
    const bool second =
        std::any_of(service.cluster_ips.begin(), service.cluster_ips.end(),
                    [&](const auto& other) { return other.family() == address.family(); });
    if (second)
      faults.add("clusterIPs", address.to_string() + " is a second one of its family");
    else
      service.cluster_ips.push_back(address);
  }
}

std::optional<ServicePort> read_port(const ServiceText::Port& text, Faults& faults) {
  const auto protocol = parse_service_protocol(text.protocol);
  const auto number = to_port(text.port);
  if (!protocol) {
    faults.add("ports", "the protocol " + shown(text.protocol) + " is unknown");
    return std::nullopt;
  }
  if (!number) {
    faults.add("ports", std::to_string(text.port) + " is no port");
    return std::nullopt;
  }
  const auto node_port = to_port(text.node_port);
  if (!node_port && text.node_port != 0)
    faults.add("ports", std::to_string(text.node_port) + " is no node port");
  return ServicePort{.name = text.name,
                     .protocol = *protocol,
                     .port = *number,
                     .node_port = node_port.value_or(0),
                     .target_port = text.target_port};
}

void read_ports(const ServiceText& text, Service& service, Faults& faults) {
  for (const auto& spelled : text.ports) {
    auto port = read_port(spelled, faults);
    if (!port) continue;
    const bool twice =
        std::any_of(service.ports.begin(), service.ports.end(), [&](const ServicePort& other) {
          return other.name == port->name ||
                 (other.port == port->port && other.protocol == port->protocol);
        });
    if (twice)
      faults.add("ports", "port " + std::to_string(port->port) + " " + shown(port->name) +
                              " is there twice");
    else
      service.ports.push_back(std::move(*port));
  }
}

void read_load_balancer(const ServiceText& text, Service& service, Faults& faults) {
  std::vector<std::string> virtual_ips;
  // One that is a proxy of its own wants its clients' packets: only it may divert them.
  for (const auto& ingress : text.ingress)
    if (!ingress.ip.empty() && (ingress.ip_mode.empty() || ingress.ip_mode == "VIP"))
      virtual_ips.push_back(ingress.ip);
  service.load_balancer_ips = usable_addresses(virtual_ips, "status.loadBalancer", faults);
  for (const auto& range : text.source_ranges) {
    const auto trimmed = trim(range);
    if (trimmed.empty()) continue;
    service.has_source_ranges = true;
    if (const auto prefix = Prefix::parse(trimmed))
      service.load_balancer_source_ranges.push_back(*prefix);
    else
      faults.add("loadBalancerSourceRanges", shown(range) + " is no network");
  }
}

void read_affinity(const ServiceText& text, Service& service, Faults& faults) {
  if (text.session_affinity != "ClientIP") {
    if (!text.session_affinity.empty() && text.session_affinity != "None")
      faults.add("sessionAffinity", shown(text.session_affinity) + " is unknown");
    return;
  }
  std::int64_t seconds = text.affinity_seconds.value_or(kAffinitySeconds);
  if (seconds < 1 || seconds > kLongestAffinity) {
    faults.add("sessionAffinityConfig",
               std::to_string(seconds) + " s is not between 1 and 86400, the default is taken");
    seconds = kAffinitySeconds;
  }
  service.client_affinity = std::chrono::seconds(seconds);
}

}  // namespace

std::string_view to_string(ServiceProtocol protocol) {
  switch (protocol) {
    case ServiceProtocol::kUdp:
      return "UDP";
    case ServiceProtocol::kSctp:
      return "SCTP";
    case ServiceProtocol::kTcp:
      break;
  }
  return "TCP";
}

std::optional<ServiceProtocol> parse_service_protocol(std::string_view text) {
  if (text.empty() || text == "TCP") return ServiceProtocol::kTcp;
  if (text == "UDP") return ServiceProtocol::kUdp;
  if (text == "SCTP") return ServiceProtocol::kSctp;
  return std::nullopt;
}

void ServiceText::note_label(std::string_view key, std::string_view) {
  if (key == kProxyNameLabel) other_proxy = true;
  if (key == kHeadlessLabel) headless_label = true;
}

Service make_service(ServiceText text) {
  Service service{.name = {.ns = std::move(text.meta.ns), .name = std::move(text.meta.name)},
                  .version = std::move(text.meta.version),
                  .created = text.meta.created,
                  .selector = std::move(text.selector),
                  .external_name = std::move(text.external_name),
                  .publish_not_ready_addresses = text.publish_not_ready_addresses,
                  .other_proxy = text.other_proxy,
                  .headless_label = text.headless_label};
  Faults faults(service.faults);
  service.type = read_type(text.type, faults);
  read_cluster_ips(text, service, faults);
  read_ports(text, service, faults);
  service.external_ips = usable_addresses(text.external_ips, "externalIPs", faults);
  read_load_balancer(text, service, faults);
  service.internal_traffic_policy =
      read_policy(text.internal_traffic_policy, "internalTrafficPolicy", faults);
  service.external_traffic_policy =
      read_policy(text.external_traffic_policy, "externalTrafficPolicy", faults);
  read_affinity(text, service, faults);
  const auto health_port = to_port(text.health_check_node_port);
  service.health_check_node_port = health_port.value_or(0);
  if (!health_port && text.health_check_node_port != 0)
    faults.add("healthCheckNodePort", std::to_string(text.health_check_node_port) + " is no port");
  return service;
}

}  // namespace weft
