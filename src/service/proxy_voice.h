// proxy_voice.h: tells the cluster what its people should see of the service proxy: Events, as
// kube-proxy creates them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/lock_guarded.h"
#include "base/loop.h"
#include "cluster/service.h"
#include "store/kube_event.h"

namespace weft::service {

/// Speaks on a thread of its own, so that nobody waits for an API server. What it may not say
/// (RBAC) or cannot is left out. Every member may be called from any thread.
class ProxyVoice {
 public:
  /// Without a cluster it is silent.
  ProxyVoice(const std::optional<KubeAccess>& cluster, std::string node_name);
  ~ProxyVoice();

  void say_starting();
  void warn_of_node(const std::string& reason, const std::string& message);
  void warn_of_service(const ServiceName& service, const std::string& reason,
                       const std::string& message);

 private:
  void say(KubeEvent event);
  Rest speak();

  const std::optional<KubeClient> client_;
  const std::string node_name_;
  LockGuarded<std::vector<KubeEvent>> waiting_;
  std::stop_source over_;
  Loop loop_;
};

}  // namespace weft::service
