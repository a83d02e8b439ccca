// served_lab.h: the node of a service lab, with a real API server on a machine of its own.
//
//   api 192.168.77.1 ── 192.168.77.2 node ── the rest of service_lab.h
//
// So a node whose packet filter is broken has its API server all the same. The cluster has one
// Node, "here".
#pragma once

#include <string>

#include "kube_server.h"
#include "proxied_cluster.h"
#include "support/service_lab.h"

namespace weft::test {

class ServedLab {
 public:
  ServedLab() {
    allow_proxies(server);
    server.create_node("here", "10.244.1.0/24", Json::object(), "192.0.2.1");
  }

 private:
  static constexpr char kAddress[] = "192.168.77.1";
  // Before the server, which starts there.
  class Wire {
   public:
    Wire(const Space& node, const Space& api) {
      auto links = api.in([] { return must(kernel::Rtnetlink::open()); });
      must(links.create({.name = "node",
                         .kind = "veth",
                         .up = true,
                         .peer = kernel::VethPeer{.name = "api", .netns_fd = node.fd()}}));
      api.sh(std::string("ip addr add ") + kAddress + "/30 dev node");
      node.sh("ip addr add 192.168.77.2/30 dev api");
      node.sh("ip link set api up");
    }
  };

 public:
  ServiceLab lab{Family::kIpv4};
  const Space api;

 private:
  const Wire wire_{lab.node, api};
  /// The calling thread stands at the server's.
  const kernel::NetnsVisit visit_ = must(kernel::NetnsVisit::enter(api.netns()));

 public:
  KubeServer server{kAddress};
};

}  // namespace weft::test
