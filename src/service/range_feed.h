// range_feed.h: where stores put ServiceCIDRs, the ranges of services' addresses.
//
// Beside ServiceFeed and NodeFeed, and of the same kind. An object that cannot be read counts as
// what it was. Every member may be called from any thread, each sink from one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/lock_guarded.h"
#include "cluster/service_cidr.h"
#include "store/kube_list_watch.h"
#include "store/object_folder.h"

namespace weft::service {

class RangeFeed {
 public:
  RangeFeed();
  ~RangeFeed();

  // They live as long as the feed.
  KubeSink& kube_ranges();
  ObjectSink& ranges();  ///< manifests

  /// Of all objects, of both families: in order, none within another.
  std::vector<Prefix> all() const;

 private:
  class Sink;
  using Ranges = std::map<std::string, std::vector<Prefix>>;  // by the objects' names

  LockGuarded<Ranges> ranges_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace weft::service
