// zone_source.h: what keeps a snapshot of the cluster's names current: the Kubernetes API
// (kube_source.h) or a folder of manifests (folder_source.h).
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "store/kube_access.h"
#include "store/kube_reader.h"

namespace weft::dns {

/// Where the names of all blocks come from.
struct ZoneOrigin {
  /// Manifests that are the cluster, in the API's place; empty: the API.
  std::string store_folder = {};
  /// Where names are kept for the next start; empty: nowhere.
  std::string snapshot_folder = {};
  /// Whether to begin with what is there.
  bool recall = true;
  /// Shared with others of this process: for blocks that say of no API of their own. May be
  /// nullptr.
  std::shared_ptr<KubeReader> reader = {};
  Environment environment = {};
};

/// Reads from its making to its end, on threads of its own.
class ZoneSource {
 public:
  virtual ~ZoneSource() = default;
  /// What keeps the names from being current, or success. Callable from any thread, as the next.
  virtual Status health() const = 0;
  /// Everything has been read once: what is not known is not there.
  virtual bool is_complete() const = 0;
};

}  // namespace weft::dns
