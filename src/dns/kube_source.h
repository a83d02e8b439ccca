// kube_source.h: keeps the cluster's names up with the Kubernetes API.
//
// Theory of operation. Services, EndpointSlices and Namespaces are followed by one list-watch each.
// What they bring goes into a ZoneBuilder object by object, lists as well: only what a whole list
// does not name any more is taken out at its end. So a list that is read again, after the API has
// been away, needs no second copy of the cluster, and an outage changes no name. Slices are read
// once the Services are there, since only those of headless ones are kept. Another thread makes a
// snapshot of what has changed, a few milliseconds after the first change of a burst.
//
// The snapshot is complete, so that unknown names may be denied, when all three have been listed.
// Namespaces that may not be listed are known by their Services.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/lock_guarded.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/published.h"
#include "dns/plugin_options.h"
#include "dns/zone_builder.h"
#include "store/kube_list_watch.h"

namespace weft::dns {

class KubeSource {
 public:
  /// `zones` must outlive it.
  KubeSource(const KubeAccess& access, const KubernetesOptions& options,
             Published<ClusterZone>& zones);
  ~KubeSource();
  KubeSource(const KubeSource&) = delete;
  KubeSource& operator=(const KubeSource&) = delete;

  /// What keeps the names from being current, or success. Callable from any thread.
  Status health() const;
  bool is_complete() const { return complete_; }

 private:
  class Sink;
  struct Watch;

  Rest publish();
  bool everything_is_listed() const;
  void start(Watch& watch);
  void note_unreadable(const std::string& what, const Error& error);

  const KubeClient client_;
  const KubernetesOptions options_;
  Published<ClusterZone>& zones_;
  LockGuarded<ZoneBuilder> builder_;
  RateLimit told_{std::chrono::minutes(5)};
  std::atomic<bool> complete_{false};
  Loop publisher_;
  // After what their threads use.
  std::unique_ptr<Watch> services_;
  std::unique_ptr<Watch> slices_;
  std::unique_ptr<Watch> namespaces_;
};

}  // namespace weft::dns
