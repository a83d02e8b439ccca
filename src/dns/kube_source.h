// kube_source.h: keeps the cluster's names up with the Kubernetes API.
//
// Theory of operation. Services, EndpointSlices and Namespaces are followed, one by one.
// What they bring goes into a ZoneBuilder object by object, lists as well: only what a whole list
// does not name any more is taken out at its end. So a list that is read again, after the API has
// been away, needs no second copy of the cluster, and an outage changes no name. Slices are read
// once the Services are there, since only those of headless ones are kept.
//
// The snapshot is complete, so that unknown names may be denied, when all three have been listed.
// Namespaces that may not be listed are known by their Services.
#pragma once

#include <memory>
#include <string>

#include "dns/plugin_options.h"
#include "dns/zone_publisher.h"
#include "dns/zone_source.h"
#include "store/kube_reader.h"

namespace weft::dns {

class KubeSource : public ZoneSource {
 public:
  /// `zones` must outlive it.
  KubeSource(std::shared_ptr<KubeReader> reader, const KubernetesOptions& options,
             const SnapshotPlace& kept, Published<ClusterZone>& zones);
  ~KubeSource() override;
  KubeSource(const KubeSource&) = delete;
  KubeSource& operator=(const KubeSource&) = delete;

  Status health() const override;
  bool is_complete() const override { return publisher_.is_complete(); }

 private:
  class Sink;
  struct Watch;

  bool everything_is_listed();
  void start(Watch& watch);

  const std::shared_ptr<KubeReader> reader_;
  const KubernetesOptions options_;
  ZonePublisher publisher_;
  // After what their threads use.
  std::unique_ptr<Watch> services_;
  std::unique_ptr<Watch> slices_;
  std::unique_ptr<Watch> namespaces_;
};

}  // namespace weft::dns
