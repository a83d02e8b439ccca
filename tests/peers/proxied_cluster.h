// proxied_cluster.h: a real API server as a service proxy meets it: rights, paths, and the flags
// that keep a proxy's hands off what belongs to the whole machine.
#pragma once

#include <string>
#include <vector>

#include "kube_server.h"

namespace weft::test {

inline constexpr char kServices[] = "/api/v1/namespaces/default/services";
inline constexpr char kSlices[] = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
inline constexpr char kMergePatch[] = "application/merge-patch+json";

inline Json json(const std::string& text) {
  return parse_json(text).value();
}

/// The server's service account may do what a kube-proxy may.
inline void allow_proxies(const KubeServer& server) {
  server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", json(R"({
    "kind":"ClusterRoleBinding","metadata":{"name":"proxier"},
    "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole",
               "name":"system:node-proxier"},
    "subjects":[{"kind":"ServiceAccount","name":"flannel","namespace":"kube-flannel"}]})"));
}

/// `weftd kube-proxy` or the real one as the proxy of the node "here", and more of its flags.
inline std::vector<std::string> proxy_command(std::vector<std::string> program,
                                              const KubeServer& server,
                                              const std::vector<std::string>& flags) {
  program.push_back("--kubeconfig=" + server.kubeconfig());
  program.emplace_back("--hostname-override=here");
  for (const char* setting :
       {"--conntrack-max-per-core=0", "--conntrack-min=0", "--conntrack-tcp-timeout-established=0s",
        "--conntrack-tcp-timeout-close-wait=0s"})
    program.emplace_back(setting);
  program.insert(program.end(), flags.begin(), flags.end());
  return program;
}

}  // namespace weft::test
