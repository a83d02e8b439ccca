#include "lab/services.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/strict_object.h"
#include "lab/names.h"

namespace weft::lab {
namespace {

// kubeadm's and kube-apiserver's defaults.
const char* const kDefaultSubnet = "10.96.0.0/12";
const char* const kDefaultSubnet6 = "fd00:10:96::/112";
constexpr std::uint64_t kFirstAddress = 11;
constexpr std::uint64_t kMostServices = 10'000;
constexpr std::uint16_t kFirstNodePort = 30'000;
constexpr std::uint16_t kLastNodePort = 32'767;

// What has been given away.
struct Taken {
  std::set<ServiceName> names;
  std::set<IpAddress> addresses;
  std::set<std::pair<ServiceProtocol, std::uint16_t>> node_ports;
};

// A Service under construction: the manifest, and what it says.
struct Draft {
  Json manifest;
  Service service;
  std::string where() const { return "Service " + service.name.to_string(); }
};

std::optional<Prefix> subnet_of(const Lab& lab, Family family) {
  for (const auto& subnet : lab.services.subnets)
    if (subnet.family() == family) return subnet;
  return std::nullopt;
}

Status reserve_address(const Lab& lab, const Draft& draft, const IpAddress& address, Taken& taken) {
  const auto subnet = subnet_of(lab, address.family());
  if (!subnet || !subnet->contains(address))
    return fail(draft.where() + ": " + address.to_string() + " is in no subnet of services",
                "name its network in the lab's file: services: {subnet: ...}");
  if (!taken.addresses.insert(address).second)
    return fail(draft.where() + ": the cluster address " + address.to_string() + " is taken");
  return {};
}

// What the manifest itself asks for.
Status reserve(const Lab& lab, const Draft& draft, Taken& taken) {
  if (!taken.names.insert(draft.service.name).second)
    return fail(draft.where() + " is there twice");
  for (const auto& address : draft.service.cluster_ips)
    RETURN_IF_ERROR(reserve_address(lab, draft, address, taken));
  for (const auto& port : draft.service.ports) {
    if (port.node_port == 0) continue;
    const std::string number = std::to_string(port.node_port);
    if (port.node_port < kFirstNodePort || port.node_port > kLastNodePort)
      return fail(draft.where() + ": the node port " + number + " is not in 30000-32767");
    if (!taken.node_ports.emplace(port.protocol, port.node_port).second)
      return fail(draft.where() + ": the node port " + number + " is taken");
  }
  return {};
}

Result<IpAddress> free_address(const Lab& lab, const Draft& draft, Family family, Taken& taken) {
  const auto subnet = subnet_of(lab, family);
  if (!subnet)
    return fail(draft.where() + ": services have no " + std::string(to_string(family)) + " subnet",
                "name one in the lab's file: services: {subnet: ...}");
  for (std::uint64_t i = kFirstAddress; i < kFirstAddress + kMostServices; ++i) {
    const auto address = subnet->address().plus(i);
    if (!address || !subnet->contains(*address)) break;
    if (taken.addresses.insert(*address).second) return *address;
  }
  return fail(draft.where() + ": no address is free in " + subnet->to_string());
}

std::optional<Family> parse_family(const std::string& word) {
  if (word == "IPv4") return Family::kIpv4;
  if (word == "IPv6") return Family::kIpv6;
  return std::nullopt;
}

// spec.ipFamilies and spec.ipFamilyPolicy, with the API server's defaults.
Result<std::vector<Family>> wanted_families(const Lab& lab, const Draft& draft) {
  const Json& spec = draft.manifest.at("spec");
  ASSIGN_OR_RETURN(const auto words, texts_member(spec, "ipFamilies", draft.where()));
  ASSIGN_OR_RETURN(const auto policy, text_member(spec, "ipFamilyPolicy", draft.where()));
  std::vector<Family> families;
  for (const auto& word : words) {
    const auto family = parse_family(word);
    if (!family) return fail(draft.where() + ": ipFamilies: \"" + word + "\" is no family");
    families.push_back(*family);
  }
  if (families.empty()) families.push_back(lab.services.subnets.front().family());
  const bool dual = policy == "PreferDualStack" || policy == "RequireDualStack";
  const Family other = families.front() == Family::kIpv4 ? Family::kIpv6 : Family::kIpv4;
  const bool wants_other = policy == "RequireDualStack" || subnet_of(lab, other).has_value();
  if (dual && families.size() == 1 && wants_other) families.push_back(other);
  return families;
}

Status choose_addresses(const Lab& lab, Draft& draft, Taken& taken) {
  Service& service = draft.service;
  if (service.type == ServiceType::kExternalName || service.headless) return {};
  ASSIGN_OR_RETURN(const auto families, wanted_families(lab, draft));
  std::vector<IpAddress> addresses;
  for (const Family family : families) {
    const auto given =
        std::find_if(service.cluster_ips.begin(), service.cluster_ips.end(),
                     [&](const IpAddress& address) { return address.family() == family; });
    if (given != service.cluster_ips.end()) {
      addresses.push_back(*given);
      continue;
    }
    ASSIGN_OR_RETURN(const IpAddress address, free_address(lab, draft, family, taken));
    addresses.push_back(address);
  }
  for (const auto& given : service.cluster_ips)
    if (std::find(addresses.begin(), addresses.end(), given) == addresses.end())
      addresses.push_back(given);
  Json& spec = draft.manifest["spec"];
  spec["clusterIP"] = addresses.front().to_string();
  spec["clusterIPs"] = Json::array();
  spec["ipFamilies"] = Json::array();
  for (const auto& address : addresses) {
    spec["clusterIPs"].push_back(address.to_string());
    spec["ipFamilies"].push_back(to_string(address.family()));
  }
  return {};
}

Status choose_node_ports(Draft& draft, Taken& taken) {
  const ServiceType type = draft.service.type;
  if (type != ServiceType::kNodePort && type != ServiceType::kLoadBalancer) return {};
  for (std::size_t i = 0; i < draft.service.ports.size(); ++i) {
    const ServicePort& port = draft.service.ports[i];
    std::uint16_t number = port.node_port;
    for (std::uint16_t candidate = kFirstNodePort; number == 0; ++candidate) {
      if (candidate > kLastNodePort) return fail(draft.where() + ": no node port is free");
      if (taken.node_ports.emplace(port.protocol, candidate).second) number = candidate;
    }
    draft.manifest["spec"]["ports"][i]["nodePort"] = number;
  }
  return {};
}

}  // namespace

Result<Json> parse_service(const Json& manifest, const std::string& file) {
  auto service = Service::read(manifest);
  if (!service) return because(file, service.error());
  const std::string where = file + ": Service " + service->name.to_string();
  if (!service->faults.empty()) return fail(where + ": " + service->faults.front());
  if (const auto spec = manifest.find("spec"); spec == manifest.end() || !spec->is_object())
    return fail(where + " has no spec");
  return manifest;
}

Result<std::vector<Prefix>> plan_service_subnets(const Lab& lab, const LabFile& file) {
  std::vector<Prefix> subnets = file.service_subnets;
  if (subnets.empty())
    for (const Family family : overlay_families(file.overlay))
      subnets.push_back(*Prefix::parse(family == Family::kIpv4 ? kDefaultSubnet : kDefaultSubnet6));
  for (const auto& subnet : subnets)
    for (const auto& node : lab.nodes)
      for (const auto& address : node.addresses)
        if (subnet.overlaps(address.network()))
          return fail("the services' subnet " + subnet.to_string() + " overlaps " +
                          address.network().to_string() + ", the network of " + node.name,
                      "choose another in the lab's file: services: {subnet: ...}");
  return subnets;
}

Status add_services(Lab& lab, const std::vector<Json>& manifests) {
  std::vector<Draft> drafts;
  Taken taken;
  for (const Json& manifest : manifests) {
    ASSIGN_OR_RETURN(Service service, Service::read(manifest));
    Draft draft{.manifest = manifest, .service = std::move(service)};
    draft.manifest["metadata"]["namespace"] = draft.service.name.ns;
    RETURN_IF_ERROR(reserve(lab, draft, taken));
    drafts.push_back(std::move(draft));
  }
  for (auto& draft : drafts) {
    RETURN_IF_ERROR(choose_addresses(lab, draft, taken));
    RETURN_IF_ERROR(choose_node_ports(draft, taken));
    lab.services.manifests.push_back(std::move(draft.manifest));
  }
  return {};
}

bool selects(const Service& service, const Pod& pod) {
  if (service.selector.empty() || service.name.ns != pod.space) return false;
  return std::all_of(service.selector.begin(), service.selector.end(), [&](const auto& wanted) {
    const auto label = pod.labels.find(wanted.first);
    return label != pod.labels.end() && label->second == wanted.second;
  });
}

std::vector<Service> services_of(const Lab& lab) {
  std::vector<Service> services;
  for (const Json& manifest : lab.services.manifests)
    if (auto service = Service::read(manifest)) services.push_back(*std::move(service));
  return services;
}

}  // namespace weft::lab
