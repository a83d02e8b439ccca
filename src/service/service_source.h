// service_source.h: from where the service proxy gets its objects: the Kubernetes API, or a folder
// of manifests.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "service/node_feed.h"
#include "service/range_feed.h"
#include "service/service_feed.h"
#include "store/kube_reader.h"

namespace weft::service {

/// Follows the Node and the ServiceCIDRs from the start on. What endpoints mean depends on where
/// the node is, so services are read when that is known. Used by one thread.
class ServiceSource {
 public:
  virtual ~ServiceSource() = default;
  /// Begins to follow Services and EndpointSlices, or reads all of them anew.
  virtual void read_services() = 0;
  /// What keeps the feeds from being current, or success.
  virtual Status health() const = 0;
};

/// They outlive the source.
struct SourceFeeds {
  ServiceFeed& services;
  NodeFeed& node;
  RangeFeed& ranges;
};
/// `changed` is called after a feed or the health has changed, on a thread of the source's; it must
/// return soon.
using OpenSource = std::function<std::unique_ptr<ServiceSource>(const SourceFeeds& feeds,
                                                                std::function<void()> changed)>;

/// The Services, EndpointSlices, ServiceCIDRs and the Node of a cluster.
OpenSource kube_source(std::shared_ptr<KubeReader> reader);
/// Objects in files (store/object_folder.h), of the same kinds.
OpenSource folder_source(std::string folder);

}  // namespace weft::service
