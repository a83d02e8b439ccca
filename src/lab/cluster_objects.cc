#include "lab/cluster_objects.h"

#include <optional>
#include <utility>

#include "base/text.h"
#include "lab/services.h"

namespace weft::lab {
namespace {

// The most endpoints that the controller puts into one slice (--max-endpoints-per-slice).
constexpr std::size_t kMostEndpoints = 100;

const char* api_name(ServiceProtocol protocol) {
  return to_string(protocol).data();
}

Json metadata_of(const std::string& ns, const std::string& name) {
  Json metadata = {{"name", name}};
  if (!ns.empty()) metadata["namespace"] = ns;
  return metadata;
}

Json node_object(const NodeView& node) {
  Json addresses = Json::array();
  for (const auto& address : node.addresses)
    addresses.push_back({{"type", "InternalIP"}, {"address", address.address.to_string()}});
  addresses.push_back({{"type", "Hostname"}, {"address", node.name}});
  Json ranges = Json::array();
  for (const auto& subnet : node.subnets) ranges.push_back(subnet.to_string());
  Json metadata = metadata_of("", node.name);
  metadata["labels"] = {{"kubernetes.io/hostname", node.name}};
  Json spec = Json::object();
  if (!ranges.empty()) spec = {{"podCIDR", ranges.front()}, {"podCIDRs", ranges}};
  return {{"apiVersion", "v1"},
          {"kind", "Node"},
          {"metadata", metadata},
          {"spec", spec},
          {"status", {{"addresses", addresses}}}};
}

Json container_ports(const Pod& pod) {
  Json ports = Json::array();
  for (const auto& port : pod.ports) {
    Json json = {{"containerPort", port.port}, {"protocol", api_name(port.protocol)}};
    if (!port.name.empty()) json["name"] = port.name;
    ports.push_back(std::move(json));
  }
  return ports;
}

Json pod_object(const Pod& pod, const PodView& view) {
  Json metadata = metadata_of(pod.space, pod.name);
  metadata["labels"] = pod.labels;
  Json addresses = Json::array();
  for (const auto& address : view.addresses)
    addresses.push_back({{"ip", address.address.to_string()}});
  Json status = {{"phase", view.running ? "Running" : "Failed"},
                 {"conditions",
                  Json::array({{{"type", "Ready"}, {"status", view.running ? "True" : "False"}}})}};
  if (!addresses.empty()) {
    status["podIP"] = addresses.front()["ip"];
    status["podIPs"] = addresses;
  }
  const Json container = {{"name", pod.name}, {"ports", container_ports(pod)}};
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", metadata},
          {"spec", {{"nodeName", pod.node}, {"containers", Json::array({container})}}},
          {"status", status}};
}

// The number that a port of the service stands for in this pod; nothing when the pod names none.
std::optional<std::uint16_t> target_of(const ServicePort& port, const Pod& pod) {
  if (port.target_port.empty()) return port.port;
  if (const auto number = parse_number(port.target_port))
    return static_cast<std::uint16_t>(*number);
  for (const auto& candidate : pod.ports)
    if (candidate.name == port.target_port && candidate.protocol == port.protocol)
      return candidate.port;
  return std::nullopt;
}

// Endpoints of one slice share their ports: a name may stand for another number in another pod.
Json slice_ports(const Service& service, const Pod& pod) {
  Json ports = Json::array();
  for (const auto& port : service.ports)
    if (const auto number = target_of(port, pod))
      ports.push_back(
          {{"name", port.name}, {"protocol", api_name(port.protocol)}, {"port", *number}});
  return ports;
}

Json endpoint_object(const Pod& pod, const IpAddress& address, bool ready) {
  return {{"addresses", Json::array({address.to_string()})},
          {"conditions", {{"ready", ready}, {"serving", ready}, {"terminating", false}}},
          {"nodeName", pod.node},
          {"targetRef", {{"kind", "Pod"}, {"namespace", pod.space}, {"name", pod.name}}}};
}

// The endpoints of a service and family, by their ports.
using Groups = std::vector<std::pair<Json, Json>>;

void add_endpoint(Groups& groups, const Json& ports, Json endpoint) {
  for (auto& [known, endpoints] : groups)
    if (known == ports && endpoints.size() < kMostEndpoints) {
      endpoints.push_back(std::move(endpoint));
      return;
    }
  groups.emplace_back(ports, Json::array({std::move(endpoint)}));
}

const PodView* view_of(const LabView& view, const Pod& pod) {
  for (const auto& candidate : view.pods)
    if (candidate.name == pod.name) return &candidate;
  return nullptr;
}

Groups endpoints_of(const Service& service, Family family, const Lab& lab, const LabView& view) {
  Groups groups;
  for (const auto& pod : lab.pods) {
    const PodView* seen = view_of(view, pod);
    if (seen == nullptr || !selects(service, pod)) continue;
    for (const auto& address : seen->addresses)
      if (address.address.family() == family)
        add_endpoint(groups, slice_ports(service, pod),
                     endpoint_object(pod, address.address, seen->running));
  }
  return groups;
}

std::vector<Json> slices_of(const Service& service, const Lab& lab, const LabView& view) {
  std::vector<Json> slices;
  // A service without a selector has no slices but those that somebody writes.
  if (service.selector.empty()) return slices;
  for (const auto& subnet : lab.services.subnets) {
    const std::string family(to_string(subnet.family()));
    for (auto& [ports, endpoints] : endpoints_of(service, subnet.family(), lab, view)) {
      const std::string name = service.name.name +
                               (subnet.family() == Family::kIpv4 ? "-ipv4-" : "-ipv6-") +
                               std::to_string(slices.size() + 1);
      Json metadata = metadata_of(service.name.ns, name);
      metadata["labels"] = {{"kubernetes.io/service-name", service.name.name}};
      slices.push_back({{"apiVersion", "discovery.k8s.io/v1"},
                        {"kind", "EndpointSlice"},
                        {"metadata", metadata},
                        {"addressType", family},
                        {"ports", ports},
                        {"endpoints", endpoints}});
    }
  }
  return slices;
}

}  // namespace

std::vector<Json> plan_cluster_objects(const Lab& lab, const LabView& view) {
  std::vector<Json> objects;
  for (const auto& node : view.nodes) objects.push_back(node_object(node));
  for (const auto& pod : lab.pods)
    if (const PodView* seen = view_of(view, pod)) objects.push_back(pod_object(pod, *seen));
  for (const Json& manifest : lab.services.manifests) objects.push_back(manifest);
  for (const Service& service : services_of(lab))
    for (auto& slice : slices_of(service, lab, view)) objects.push_back(std::move(slice));
  return objects;
}

}  // namespace weft::lab
