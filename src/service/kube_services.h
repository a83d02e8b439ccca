// kube_services.h: the Services and EndpointSlices of a cluster, from the Kubernetes API into a
// feed.
//
// Both kinds with kube-proxy's label selector, which the server applies: what is for another proxy,
// or headless by its label, never comes here. RBAC: services and endpointslices list and watch, as
// in the ClusterRole system:node-proxier.
#pragma once

#include <functional>

#include "service/service_feed.h"
#include "store/kube_client.h"
#include "store/kube_list_watch.h"

namespace weft::service {

class KubeServices {
 public:
  /// Starts at once. `feed` must outlive it; `changed` is called after the feed or the health has
  /// changed, on a thread of one of the watches; it must return soon.
  KubeServices(KubeAccess access, ServiceFeed& feed, const std::function<void()>& changed);

  /// What keeps the feed from being current, or success. Callable from any thread.
  Status health() const;

 private:
  const KubeClient client_;
  KubeListWatch services_;
  KubeListWatch slices_;
};

}  // namespace weft::service
