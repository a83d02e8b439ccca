// node_config.h: what `weftd node` is told: which parts a node has, and what they share. Pure.
//
//     kubeconfig: /etc/weft/kubeconfig   # without it the pod's service account
//     nodeName: node-1                   # without it NODE_NAME, or else the host's name
//     flanneld:
//       args: [--ip-masq, --iface=eth0]
//     kubeProxy:
//       config: /var/lib/kube-proxy/config.conf
//     coredns:
//       corefile: /etc/coredns/Corefile
//
// A part that is not named is not there; one that is has the flags of the program that it stands in
// for. docs/node.md has all keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace weft::node {

struct NodeConfig {
  std::string kubeconfig = {};
  /// A folder of manifests in the API's place; empty: the API.
  std::string store_dir = {};
  std::string node_name = {};
  struct Log {
    LogFormat format = LogFormat::kText;
    std::string level = "info";
    bool operator==(const Log&) const = default;
  };
  Log log = {};
  /// Flags of a part's program; nothing: there is no such part.
  using Arguments = std::optional<std::vector<std::string>>;
  Arguments flanneld = {};
  Arguments kube_proxy = {};
  Arguments coredns = {};
  bool operator==(const NodeConfig&) const = default;
};

/// Refuses keys that it does not know, naming the nearest one, and a node without any part.
Result<NodeConfig> read_node_config(std::string_view text);

}  // namespace weft::node
