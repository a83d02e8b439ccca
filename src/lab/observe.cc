#include "lab/observe.h"

#include <algorithm>
#include <map>

#include "kernel/netns.h"
#include "kernel/rtnetlink.h"
#include "lab/agents.h"
#include "lab/daemon.h"
#include "lab/names.h"
#include "lab/proxies.h"
#include "lab/services.h"

namespace weft::lab {
namespace {

using kernel::Netns;
using kernel::NetnsVisit;
using kernel::Rtnetlink;

// What one dump of each table says about a namespace.
struct Tables {
  std::map<LinkIndex, Link> links;
  std::vector<LinkAddress> addresses;
  std::vector<Route> routes;
  std::map<LinkIndex, std::vector<FdbEntry>> fdb;
  std::map<LinkIndex, std::vector<Neighbour>> neighbours;
};

Result<Tables> read_tables(const std::string& netns_path, bool with_tunnels) {
  ASSIGN_OR_RETURN(const Netns netns, Netns::open(netns_path));
  ASSIGN_OR_RETURN(const NetnsVisit visit, NetnsVisit::enter(netns));
  ASSIGN_OR_RETURN(Rtnetlink rtnetlink, Rtnetlink::open());
  Tables tables;
  ASSIGN_OR_RETURN(const auto links, rtnetlink.links());
  for (const auto& link : links) tables.links[link.index] = link;
  ASSIGN_OR_RETURN(tables.addresses, rtnetlink.addresses());
  if (!with_tunnels) return tables;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    ASSIGN_OR_RETURN(const auto routes, rtnetlink.routes(family));
    tables.routes.insert(tables.routes.end(), routes.begin(), routes.end());
  }
  for (const auto& link : links) {
    if (!link.vxlan) continue;
    ASSIGN_OR_RETURN(tables.fdb[link.index], rtnetlink.fdb(link.index));
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
      ASSIGN_OR_RETURN(const auto found, rtnetlink.neighbours(family, link.index));
      auto& all = tables.neighbours[link.index];
      all.insert(all.end(), found.begin(), found.end());
    }
  }
  return tables;
}

std::vector<InterfaceAddress> addresses_of(const Tables& tables, const std::string& device) {
  std::vector<InterfaceAddress> found;
  for (const auto& address : tables.addresses) {
    const auto link = tables.links.find(address.key.link);
    const bool wanted = link != tables.links.end() && link->second.name == device;
    if (wanted && !address.key.address.address.is_link_local())
      found.push_back(address.key.address);
  }
  return found;
}

std::vector<IpAddress> own_addresses(const Tables& tables) {
  std::vector<IpAddress> found;
  for (const auto& address : tables.addresses)
    if (!address.key.address.address.is_loopback()) found.push_back(address.key.address.address);
  return found;
}

// A VTEP finds its peer in two steps: the neighbour's MAC address, then that one's remote.
std::optional<IpAddress> remote_of(const Tables& tables, const NextHop& hop) {
  const auto link = tables.links.find(hop.link);
  if (link == tables.links.end() || !hop.gateway) return std::nullopt;
  if (!link->second.vxlan) return hop.gateway;
  const auto neighbours = tables.neighbours.find(hop.link);
  const auto entries = tables.fdb.find(hop.link);
  if (neighbours == tables.neighbours.end() || entries == tables.fdb.end()) return std::nullopt;
  for (const auto& neighbour : neighbours->second) {
    if (neighbour.key.address != *hop.gateway) continue;
    for (const auto& entry : entries->second)
      if (entry.key.mac == neighbour.mac) return entry.remote;
  }
  return std::nullopt;
}

// Routes into the pod network and beyond the node's own subnets.
std::vector<Tunnel> tunnels_of(const Tables& tables, const NodeView& node) {
  std::vector<Tunnel> tunnels;
  for (const auto& route : tables.routes) {
    const Prefix& subnet = route.key.destination;
    const auto holds = [&](const Prefix& network) { return network.contains(subnet); };
    const bool remote = std::any_of(node.networks.begin(), node.networks.end(), holds) &&
                        std::none_of(node.subnets.begin(), node.subnets.end(), holds);
    const auto link = tables.links.find(route.link());
    if (!remote || link == tables.links.end()) continue;
    tunnels.push_back({.subnet = subnet,
                       .device = link->second.name,
                       .kind = link->second.kind == "veth" ? "" : link->second.kind,
                       .remote = remote_of(tables, route.hops.front())});
  }
  std::sort(tunnels.begin(), tunnels.end());
  return tunnels;
}

NodeView observe_node(const Lab& lab, const Node& node, Tables& tables) {
  NodeView view{.name = node.name,
                .netns = netns_name(lab.name, node.name),
                .agent = running_pid(agent_of(lab.name, node.name)),
                .agent_log = agent_of(lab.name, node.name).log(),
                .proxy = running_pid(proxy_of(lab.name, node.name)),
                .proxy_log = proxy_of(lab.name, node.name).log()};
  if (const auto env = read_subnet_env(lab.name, node.name)) {
    view.subnets = env->subnets;
    view.networks = env->networks;
  }
  if (auto read = read_tables(netns_path(lab.name, node.name), true)) {
    tables = *std::move(read);
    view.addresses = addresses_of(tables, "eth0");
    view.own_addresses = own_addresses(tables);
    view.tunnels = tunnels_of(tables, view);
  }
  return view;
}

PodView observe_pod(const Lab& lab, const Pod& pod, const Tables& node) {
  const std::string netns = netns_path(lab.name, pod.name);
  PodView view{.name = pod.name,
               .node = pod.node,
               .netns = netns_name(lab.name, pod.name),
               .running = !processes_in({netns}).empty(),
               .responder = pod.command.empty()};
  const auto tables = read_tables(netns, false);
  if (!tables) return view;
  view.addresses = addresses_of(*tables, "eth0");
  for (const auto& [index, link] : tables->links) {
    if (link.name != "eth0") continue;
    // A veth's peer counts in the peer's namespace, which is the node's.
    const auto peer = node.links.find(link.peer);
    if (peer != node.links.end() && peer->second.kind == "veth")
      view.host_device = peer->second.name;
  }
  return view;
}

std::vector<ServiceView> services_in(const Lab& lab, const std::vector<PodView>& pods) {
  std::vector<ServiceView> views;
  for (const Service& service : services_of(lab)) {
    ServiceView view{.name = service.name,
                     .cluster_ips = service.cluster_ips,
                     .external_ips = service.external_ips,
                     .ports = service.ports,
                     .only_local = service.external_traffic_policy == TrafficPolicy::kLocal,
                     .sticky = service.client_affinity.has_value()};
    view.external_ips.insert(view.external_ips.end(), service.load_balancer_ips.begin(),
                             service.load_balancer_ips.end());
    for (const auto& pod : pods)
      if (pod.running && !pod.addresses.empty() && selects(service, *lab.pod(pod.name)))
        view.ready.push_back(pod.name);
    views.push_back(std::move(view));
  }
  return views;
}

void observe_outside(const Lab& lab, LabView& view) {
  const auto tables = read_tables(netns_path(lab.name, kOutside), false);
  if (tables) view.outside_own = own_addresses(*tables);
  for (const auto& address : lab.outside) {
    OutsideView host{.address = address};
    for (const auto& found : tables ? tables->addresses : std::vector<LinkAddress>())
      if (found.key.address.address == address) host.device = tables->links.at(found.key.link).name;
    view.outside.push_back(std::move(host));
  }
}

void name_tunnel_ends(LabView& view) {
  for (auto& node : view.nodes)
    for (auto& tunnel : node.tunnels)
      for (const auto& other : view.nodes)
        if (std::find(other.subnets.begin(), other.subnets.end(), tunnel.subnet) !=
            other.subnets.end())
          tunnel.to = other.name;
}

}  // namespace

Result<LabView> observe(const Lab& lab) {
  LabView view{.name = lab.name,
               .bridge = lab.bridge,
               .proxy_mode = lab.services.proxy_mode,
               .outside_netns = netns_name(lab.name, kOutside)};
  observe_outside(lab, view);
  for (const auto& segment : lab.segments) view.segments.push_back(segment.gateways);
  std::map<std::string, Tables> tables;
  for (const auto& node : lab.nodes)
    view.nodes.push_back(observe_node(lab, node, tables[node.name]));
  for (const auto& pod : lab.pods) view.pods.push_back(observe_pod(lab, pod, tables[pod.node]));
  view.services = services_in(lab, view.pods);
  name_tunnel_ends(view);
  return view;
}

}  // namespace weft::lab
