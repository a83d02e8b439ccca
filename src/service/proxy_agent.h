// proxy_agent.h: the service proxy of a node as a whole: what `weftd kube-proxy` runs.
//
// Theory of operation. The source fills two feeds, one of services and one of the own Node. A
// steward works out the rules from the configuration, the Node and the interfaces' addresses
// whenever one of these changes, and hands them to the proxy, which is started once the Node is
// known, or has not come for half a minute. So a new address, a new pod range or another zone is a
// change like others, and no reason to start again. What a pass has done goes to the record, the
// health-check ports and the repair of connections.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "service/proxy_config.h"
#include "service/service_source.h"
#include "store/kube_access.h"

namespace weft::service {

struct ProxyAgentOptions {
  ProxyConfig config = {};  ///< complete()
  std::string node_name = {};
  std::string status_socket = {};  ///< for `weft status services`; empty: none
  OpenSource source = {};
  /// For events; nothing where there is no cluster to tell.
  std::optional<KubeAccess> cluster = {};
  /// Called once, when all services are in the kernel; may be empty.
  std::function<void()> ready = {};
  /// How long a Node without addresses, or none, is waited for.
  std::chrono::milliseconds node_patience{30'000};
};

/// Until a stop, or an Error that the proxy cannot live with. In the calling thread's namespace.
/// Whatever ends it, the services stay in the kernel.
Status run_proxy_agent(const ProxyAgentOptions& options, const std::stop_token& stop);

/// Takes away what the proxy in any mode, and kube-proxy in any mode, have left in the kernel
/// (--cleanup).
Status clean_up_node();

}  // namespace weft::service
