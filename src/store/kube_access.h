// kube_access.h: how to reach a Kubernetes API server and who to be there.
//
// Out of a kubeconfig (client-go's tools/clientcmd/api/v1), or inside a cluster out of the
// environment and the files of the service account. Files that are named are not read here but
// at each call: certificates and tokens are renewed under a running daemon.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/http_client.h"

namespace weft {

struct KubeAccess {
  HttpEndpoint endpoint;
  std::string path = {};  ///< in front of every path, as of a proxy of many clusters: "/k8s/c-1"
  HttpOptions http = {};  ///< files, certificates and proxy
  // Who to be, beside a client certificate; never in a log or an Error:
  std::string token_file = {};  ///< goes before `token`
  std::string token = {};
  std::string username = {};
  std::string password = {};

  /// "Kubernetes API at https://10.96.0.1:443"
  std::string describe() const;
};

struct KubeAccessOptions {
  std::string api_url;     ///< --kube-api-url: goes before the server of the kubeconfig
  std::string kubeconfig;  ///< --kubeconfig-file
};

using Environment = std::function<std::optional<std::string>(const char* name)>;

/// The access that the flags ask for; without any, the service account's.
Result<KubeAccess> find_kube_access(const KubeAccessOptions& options,
                                    const Environment& environment);

/// The current context of a kubeconfig. Relative file names are of `folder`. Refuses what it
/// cannot do, by name: exec and auth-provider plugins, impersonation, proxies of other kinds.
Result<KubeAccess> parse_kubeconfig(std::string_view text, const std::string& folder);

/// KUBERNETES_SERVICE_HOST and _PORT with the service account's files in `folder`.
Result<KubeAccess> in_cluster_access(
    const Environment& environment,
    const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

}  // namespace weft
