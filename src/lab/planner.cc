#include "lab/planner.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "lab/cluster_dns.h"
#include "lab/names.h"
#include "lab/services.h"

namespace weft::lab {
namespace {

constexpr unsigned kDefaultNodes = 3;
constexpr unsigned kDefaultPods = 2;
constexpr std::uint64_t kFirstHost = 11;
const char* const kDefaultNetwork = "172.31.0.0/24";
const char* const kDefaultNetwork6 = "fd00:31::/64";
const char* const kDefaultOutside = "203.0.113.121";
const char* const kDefaultOutside6 = "2001:db8:113::121";

std::vector<Prefix> default_networks(const std::string& overlay) {
  std::vector<Prefix> networks;
  for (const Family family : overlay_families(overlay))
    networks.push_back(
        *Prefix::parse(family == Family::kIpv4 ? kDefaultNetwork : kDefaultNetwork6));
  return networks;
}

std::set<IpAddress> taken_addresses(const Lab& lab) {
  std::set<IpAddress> taken(lab.outside.begin(), lab.outside.end());
  for (const auto& node : lab.nodes) {
    for (const auto& address : node.addresses) taken.insert(address.address);
    taken.insert(node.gateways.begin(), node.gateways.end());
  }
  return taken;
}

Result<InterfaceAddress> free_address(const Lab& lab, const Prefix& network) {
  const auto taken = taken_addresses(lab);
  for (std::uint64_t i = kFirstHost; i < kFirstHost + kMostNodes; ++i) {
    const auto address = network.address().plus(i);
    if (address && network.contains(*address) && !taken.contains(*address))
      return InterfaceAddress{.address = *address, .length = network.length()};
  }
  return fail("no address is free in " + network.to_string());
}

// Addresses and gateways, where the person gave none.
Status settle_addresses(const Lab& lab, Node& node) {
  if (node.addresses.empty()) {
    for (const auto& network : default_networks(lab.overlay)) {
      ASSIGN_OR_RETURN(const auto address, free_address(lab, network));
      node.addresses.push_back(address);
    }
  }
  for (const auto& address : node.addresses) {
    const auto same_family = [&](const IpAddress& gateway) {
      return gateway.family() == address.address.family();
    };
    if (std::any_of(node.gateways.begin(), node.gateways.end(), same_family)) continue;
    if (const auto first = address.network().address().plus(1)) node.gateways.push_back(*first);
  }
  return {};
}

Status check_addresses(const Lab& lab, const Node& node) {
  const auto refuse = [&](const IpAddress& address, const std::string& reason) {
    return fail("node " + node.name + ": " + address.to_string() + " " + reason);
  };
  std::set<Family> families;
  for (const auto& address : node.addresses)
    if (!families.insert(address.address.family()).second)
      return refuse(address.address, "is a second address of its family");
  for (const auto& gateway : node.gateways) {
    const auto beside = [&](const InterfaceAddress& address) {
      return address.network().contains(gateway);
    };
    if (std::none_of(node.addresses.begin(), node.addresses.end(), beside))
      return refuse(gateway, "is its gateway and in none of its networks");
  }
  std::set<IpAddress> taken;
  std::set<IpAddress> gateways(node.gateways.begin(), node.gateways.end());
  for (const auto& other : lab.nodes) {
    for (const auto& address : other.addresses) taken.insert(address.address);
    gateways.insert(other.gateways.begin(), other.gateways.end());
  }
  taken.insert(lab.outside.begin(), lab.outside.end());
  for (const auto& address : node.addresses) {
    if (taken.contains(address.address)) return refuse(address.address, "is there twice");
    if (gateways.contains(address.address)) return refuse(address.address, "is a gateway too");
  }
  return {};
}

bool is_taken(const Lab& lab, const std::string& name) {
  return lab.node(name) != nullptr || lab.pod(name) != nullptr;
}

std::string free_name(const Lab& lab, const std::string& stem) {
  unsigned number = 1;
  while (is_taken(lab, stem + std::to_string(number))) ++number;
  return stem + std::to_string(number);
}

Failure name_taken(const Lab& lab, const std::string& name) {
  return fail("the name " + name + " is there twice in lab \"" + lab.name + "\"",
              "nodes and pods of a lab need names of their own");
}

// Ties the node's networks to one wire: that of a neighbour, or a new one.
Status settle_segment(Lab& lab, const Node& node) {
  auto home = lab.segments.end();
  for (const auto& address : node.addresses) {
    const auto found =
        std::find_if(lab.segments.begin(), lab.segments.end(),
                     [&](const Segment& segment) { return segment.holds(address.address); });
    if (found == lab.segments.end()) continue;
    if (home != lab.segments.end() && home != found)
      return fail("node " + node.name + ": its addresses lie in two segments");
    home = found;
  }
  if (home == lab.segments.end()) home = lab.segments.insert(home, Segment{});
  for (const auto& gateway : node.gateways)
    for (const auto& address : node.addresses) {
      const InterfaceAddress leg{.address = gateway, .length = address.length};
      const bool known =
          std::find(home->gateways.begin(), home->gateways.end(), leg) != home->gateways.end();
      if (address.network().contains(gateway) && !known) home->gateways.push_back(leg);
    }
  return {};
}

Status add_node(Lab& lab, Node node) {
  if (node.name.empty()) node.name = free_name(lab, "node");
  RETURN_IF_ERROR(check_node_name(node.name));
  if (is_taken(lab, node.name)) return name_taken(lab, node.name);
  if (lab.nodes.size() >= kMostNodes)
    return fail("a lab has at most " + std::to_string(kMostNodes) + " nodes");
  RETURN_IF_ERROR(settle_addresses(lab, node));
  RETURN_IF_ERROR(check_addresses(lab, node));
  RETURN_IF_ERROR(settle_segment(lab, node));
  lab.nodes.push_back(std::move(node));
  return {};
}

const Node& emptiest_node(const Lab& lab) {
  const auto load = [&](const Node& node) {
    return std::count_if(lab.pods.begin(), lab.pods.end(),
                         [&](const Pod& pod) { return pod.node == node.name; });
  };
  return *std::min_element(lab.nodes.begin(), lab.nodes.end(),
                           [&](const Node& a, const Node& b) { return load(a) < load(b); });
}

Status add_pod(Lab& lab, Pod pod) {
  if (pod.node.empty()) pod.node = emptiest_node(lab).name;
  if (lab.node(pod.node) == nullptr) {
    Failure failure = unknown_member(lab, pod.node);
    return because("pod " + pod.name, std::move(failure).value());
  }
  if (pod.name.empty()) pod.name = free_name(lab, pod.node + "-pod");
  RETURN_IF_ERROR(check_pod_name(pod.name));
  if (is_taken(lab, pod.name)) return name_taken(lab, pod.name);
  lab.pods.push_back(std::move(pod));
  return {};
}

Status add_pods(Lab& lab, const std::string& node, unsigned count) {
  for (unsigned i = 0; i < count; ++i) RETURN_IF_ERROR(add_pod(lab, Pod{.node = node}));
  return {};
}

std::vector<IpAddress> default_outside(const LabFile& file) {
  if (!file.outside.empty()) return file.outside;
  std::vector<IpAddress> outside = {*IpAddress::parse(kDefaultOutside)};
  const auto families = overlay_families(file.overlay);
  if (std::find(families.begin(), families.end(), Family::kIpv6) != families.end())
    outside.push_back(*IpAddress::parse(kDefaultOutside6));
  return outside;
}

}  // namespace

Result<Lab> plan_lab(const std::string& name, const LabFile& file, const Manifests& manifests) {
  RETURN_IF_ERROR(check_lab_name(name));
  Lab lab{.name = name,
          .overlay = file.overlay,
          .store = file.store,
          .ip_masq = file.ip_masq,
          .mtu = file.mtu,
          .outside = default_outside(file),
          .node_sysctls = file.sysctls,
          .bridge = file.bridge,
          .iptables = file.iptables,
          .pods_per_node = file.pods.value_or(manifests.pods.empty() ? kDefaultPods : 0),
          .services = {.proxy_mode = file.proxy_mode}};
  std::vector<Node> nodes = file.nodes;
  if (nodes.empty()) nodes.resize(file.node_count.value_or(kDefaultNodes));
  for (auto& node : nodes) RETURN_IF_ERROR(add_node(lab, std::move(node)));
  for (const auto& node : lab.nodes) RETURN_IF_ERROR(add_pods(lab, node.name, lab.pods_per_node));
  for (const auto& pod : manifests.pods) RETURN_IF_ERROR(add_pod(lab, pod));
  if (manifests.services.empty() && !file.dns) return lab;
  ASSIGN_OR_RETURN(lab.services.subnets, plan_service_subnets(lab, file));
  std::vector<Json> services = manifests.services;
  if (file.dns) {
    RETURN_IF_ERROR(add_cluster_dns(lab, *file.dns));
    ASSIGN_OR_RETURN(Json service, dns_service(lab));
    services.push_back(std::move(service));
  }
  RETURN_IF_ERROR(add_services(lab, services));
  return lab;
}

Result<Lab> with_node(Lab lab, Node wanted, unsigned pods) {
  RETURN_IF_ERROR(add_node(lab, std::move(wanted)));
  const std::string name = lab.nodes.back().name;
  RETURN_IF_ERROR(add_pods(lab, name, pods));
  return lab;
}

Result<Lab> without_node(Lab lab, const std::string& name) {
  if (lab.node(name) == nullptr) return unknown_member(lab, name);
  if (lab.nodes.size() == 1)
    return fail(name + " is the last node of lab \"" + lab.name + "\"",
                "take the whole lab away with: weft lab down --name " + lab.name);
  std::erase_if(lab.pods, [&](const Pod& pod) { return pod.node == name; });
  std::erase_if(lab.nodes, [&](const Node& node) { return node.name == name; });
  return lab;
}

Result<Lab> with_pod(Lab lab, Pod wanted) {
  RETURN_IF_ERROR(add_pod(lab, std::move(wanted)));
  return lab;
}

Result<Lab> without_pod(Lab lab, const std::string& name) {
  if (lab.pod(name) == nullptr) return unknown_member(lab, name);
  std::erase_if(lab.pods, [&](const Pod& pod) { return pod.name == name; });
  return lab;
}

Failure unknown_member(const Lab& lab, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& node : lab.nodes) names.push_back(node.name);
  for (const auto& pod : lab.pods) names.push_back(pod.name);
  const auto meant = nearest(name, names);
  return fail(
      "there is no node or pod \"" + name + "\" in lab \"" + lab.name + "\"",
      meant ? "did you mean " + *meant + "?" : "see them with: weft lab status --name " + lab.name);
}

}  // namespace weft::lab
