// model.h: a lab as plain values, every default filled in: what `weft lab up` builds and what
// the lab's state file holds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "cluster/resolv_conf.h"
#include "cluster/service.h"
#include "net/address.h"
#include "net/sysctl.h"

namespace weft::lab {

enum class StoreKind { kDirectory, kEtcd };

struct Node {
  std::string name = {};
  std::vector<InterfaceAddress> addresses = {};  ///< of its eth0
  std::vector<IpAddress> gateways = {};          ///< at most one a family
  std::optional<Prefix> subnet = {};             ///< the lease it shall get; any when absent
  bool operator==(const Node&) const = default;
};

/// What the responder of a pod answers at beside its own port.
struct ContainerPort {
  std::string name = {};  ///< may be empty
  ServiceProtocol protocol = ServiceProtocol::kTcp;
  std::uint16_t port = 0;
  bool operator==(const ContainerPort&) const = default;
};

struct Pod {
  std::string name = {};
  std::string space = "default";  ///< its Kubernetes namespace
  std::string node = {};
  std::map<std::string, std::string> labels = {};
  std::vector<std::string> command = {};  ///< empty: the responder
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::vector<ContainerPort> ports = {};
  std::optional<IpAddress> address = {};  ///< the one it shall get; any when absent
  PodDns dns = {};                        ///< without its namespace, which is `space`
  bool operator==(const Pod&) const = default;
};

/// A wire of the underlay that nodes stand on, with the router's addresses on it. It stays when
/// its last node goes, so that the others keep their names.
struct Segment {
  std::vector<InterfaceAddress> gateways = {};
  bool holds(const IpAddress& address) const;
  bool operator==(const Segment&) const = default;
};

/// Where services live. Their objects are manifests as an API server would give them back: with
/// every address and node port chosen.
struct Services {
  std::vector<Prefix> subnets = {};     ///< of cluster addresses, at most one a family
  std::string proxy_mode = "nftables";  ///< as kube-proxy's --proxy-mode
  std::vector<Json> manifests = {};     ///< v1 Service
  bool operator==(const Services&) const = default;
};

/// The names of the cluster, and of the world around it.
struct ClusterDns {
  std::string domain = {};                      ///< "cluster.local"
  IpAddress address = {};                       ///< of its Service
  std::map<std::string, IpAddress> names = {};  ///< that the outside host answers for
  std::string node_file = {};                   ///< every node's resolv.conf
  bool operator==(const ClusterDns&) const = default;
};

struct Lab {
  std::string name = {};
  std::string overlay = {};  ///< the text of net-conf.json
  StoreKind store = StoreKind::kDirectory;
  bool ip_masq = true;                  ///< whether the agents are told to masquerade
  std::uint32_t mtu = 1500;             ///< of the underlay
  std::vector<IpAddress> outside = {};  ///< addresses of the host beyond the gateway
  Sysctls node_sysctls = {};            ///< set in every node's namespace
  std::string bridge = "cni0";          ///< that the pods are on
  std::string iptables = {};            ///< for iptables-restore, on every node at its start
  unsigned pods_per_node = 0;           ///< what a node added later gets
  std::vector<Segment> segments = {};
  std::vector<Node> nodes = {};
  std::vector<Pod> pods = {};
  Services services = {};
  std::optional<ClusterDns> dns = {};
  bool operator==(const Lab&) const = default;

  const Node* node(const std::string& wanted) const;
  const Pod* pod(const std::string& wanted) const;
};

/// The families that a net-conf.json asks for; IPv4 where it says nothing.
std::vector<Family> overlay_families(const std::string& net_conf);

}  // namespace weft::lab
