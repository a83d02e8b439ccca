// zone_source.h: what keeps a snapshot of the cluster's names current: the Kubernetes API
// (kube_source.h) or a folder of manifests (folder_source.h).
#pragma once

#include "base/result.h"

namespace weft::dns {

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
