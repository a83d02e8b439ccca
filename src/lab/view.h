// view.h: a lab as it is at a moment: what status and graph show. Plain values.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "cluster/service.h"
#include "net/address.h"

namespace weft::lab {

/// A route of a node into another node's subnet.
struct Tunnel {
  Prefix subnet = {};
  std::string device = {};               ///< "flannel.1"
  std::string kind = {};                 ///< "vxlan"; empty for a device without kind
  std::optional<IpAddress> remote = {};  ///< the node address that packets go to, if known
  std::string to = {};                   ///< the node that holds the subnet; empty when nobody does
  auto operator<=>(const Tunnel&) const = default;
};

struct NodeView {
  std::string name = {};
  std::string netns = {};
  std::vector<InterfaceAddress> addresses = {};  ///< of its eth0
  std::vector<Prefix> subnets = {};              ///< from its subnet.env
  std::vector<Prefix> networks = {};             ///< from its subnet.env
  pid_t agent = 0;                               ///< 0: not running
  std::string agent_log = {};
  pid_t proxy = 0;  ///< 0: not running, or there are no services
  std::string proxy_log = {};
  std::vector<IpAddress> own_addresses = {};  ///< of all its devices, loopback left out
  std::vector<Tunnel> tunnels = {};
  auto operator<=>(const NodeView&) const = default;
};

struct PodView {
  std::string name = {};
  std::string node = {};
  std::string netns = {};
  std::vector<InterfaceAddress> addresses = {};  ///< of its eth0
  std::string host_device = {};                  ///< its veth's other end on the node
  bool running = false;                          ///< a program stands in it
  bool responder = false;                        ///< it was given no command
  auto operator<=>(const PodView&) const = default;
};

struct ServiceView {
  ServiceName name = {};
  std::vector<IpAddress> cluster_ips = {};
  /// spec.externalIPs and those that a load balancer sends on as they are.
  std::vector<IpAddress> external_ips = {};
  std::vector<ServicePort> ports = {};
  bool only_local = false;              ///< externalTrafficPolicy Local
  bool sticky = false;                  ///< a client keeps its endpoint
  std::vector<std::string> ready = {};  ///< the pods that are its ready endpoints
  auto operator<=>(const ServiceView&) const = default;
};

/// One address of the outside host, and its device towards the nodes.
struct OutsideView {
  IpAddress address = {};
  std::string device = {};
  auto operator<=>(const OutsideView&) const = default;
};

struct LabView {
  std::string name = {};
  std::string bridge = {};  ///< that the pods are on
  std::vector<NodeView> nodes = {};
  std::vector<PodView> pods = {};
  std::vector<ServiceView> services = {};
  std::string proxy_mode = {};  ///< of the nodes' proxies
  std::string outside_netns = {};
  std::vector<OutsideView> outside = {};
  std::vector<IpAddress> outside_own = {};  ///< of all its devices, loopback left out
  std::vector<std::vector<InterfaceAddress>> segments = {};  ///< the router's addresses on each
  auto operator<=>(const LabView&) const = default;
};

}  // namespace weft::lab
