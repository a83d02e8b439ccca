// kube_services.h: the Services and EndpointSlices of a cluster, from the Kubernetes API into a
// feed.
//
// Both kinds with kube-proxy's label selector: what is for another proxy, or headless by its label,
// never comes here. RBAC: services and endpointslices list and watch, as
// in the ClusterRole system:node-proxier.
#pragma once

#include <functional>

#include "service/service_feed.h"
#include "store/kube_reader.h"

namespace weft::service {

class KubeServices {
 public:
  /// Starts at once. `reader` and `feed` must outlive it; `changed` is called after the feed or the
  /// health has changed, on a thread of the reader's; it must return soon.
  KubeServices(KubeReader& reader, ServiceFeed& feed, const std::function<void()>& changed);

  /// What keeps the feed from being current, or success. Callable from any thread.
  Status health() const;

 private:
  KubeFollower services_;
  KubeFollower slices_;
};

}  // namespace weft::service
