// lab_file.h: the file that `weft lab up FILE` reads.
//
//     nodes: 3                      # or a list: [{name, address, gateway, subnet}, ...]
//     pods: 2                       # per node; 0 when there are manifests
//     overlay: {Network: 10.244.0.0/16, Backend: {Type: vxlan}}   # net-conf.json as it is
//     store: directory              # or etcd
//     ipMasq: true                  # whether anybody masquerades
//     underlay: {mtu: 1500}
//     outside: [203.0.113.121]      # the host beyond the nodes' gateway
//     sysctls: {net/ipv4/conf/all/rp_filter: 1}   # set on every node
//     bridge: docker0               # that the pods are on
//     iptables: |                   # for iptables-restore, on every node before its agent
//       *filter
//       ...
//     services: {subnet: 10.96.0.0/12, mode: nftables}   # cluster addresses; kube-proxy's mode
//     dns:                          # weftd coredns in pods, and a Service before them
//       nodes: [node1]              # where: a pod for each; the first node when absent
//       domain: cluster.local
//       names: {www.example.com: 203.0.113.121}   # that the outside host's DNS answers for
//       resolvConf: nameserver 203.0.113.121      # the nodes' own file
//     manifests: [redis.yaml]       # Pods and Services, beside this file
//
// Every key has a default, an unknown one is an error. A node's `address` is one or a list, with
// prefix length; so is its `gateway`, without.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/model.h"

namespace weft::lab {

struct DnsFile {
  std::vector<std::string> nodes = {};
  std::string domain = "cluster.local";
  std::map<std::string, IpAddress> names = {};
  std::optional<std::string> node_file = {};  ///< the outside host's DNS when absent
  bool operator==(const DnsFile&) const = default;
};

struct LabFile {
  std::optional<unsigned> node_count = {};  ///< when `nodes` is a number
  std::vector<Node> nodes = {};             ///< when it is a list; addresses may be missing
  std::optional<unsigned> pods = {};
  std::string overlay = R"({"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}})";
  StoreKind store = StoreKind::kDirectory;
  bool ip_masq = true;
  std::uint32_t mtu = 1500;
  std::vector<IpAddress> outside = {};
  Sysctls sysctls = {};
  std::string bridge = "cni0";
  std::string iptables = {};
  std::vector<Prefix> service_subnets = {};  ///< at most one a family
  std::string proxy_mode = "nftables";
  std::optional<DnsFile> dns = {};
  std::vector<std::string> manifests = {};
  bool operator==(const LabFile&) const = default;
};

/// Most nodes and most pods a node that a lab may have.
inline constexpr unsigned kMostNodes = 200;
inline constexpr unsigned kMostPods = 100;

/// `where` names the file in errors.
Result<LabFile> parse_lab_file(std::string_view yaml, const std::string& where);

/// One node from its parts as texts, as a file or the command line gives them.
Result<Node> parse_node(const std::string& name, const std::vector<std::string>& addresses,
                        const std::vector<std::string>& gateways,
                        const std::optional<std::string>& subnet);

}  // namespace weft::lab
