// cni_runtime.h: calls CNI plugins as libcni does (CNI spec 1.0.0, sections 2 to 4).
//
// ADD runs the chain front to back and hands each plugin the result of the one before; DEL runs
// it back to front with the result that ADD left in the cache. The cache is libcni's
// (cacheDir/results/NET-CONTAINER-IFNAME). Acts in the calling thread's namespaces: stand in the
// node first.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace weft::lab {

struct CniAttachment {
  std::string container = {};  ///< CNI_CONTAINERID
  std::string netns = {};      ///< CNI_NETNS, a path
  std::string ifname = {};     ///< CNI_IFNAME
  std::string arguments = {};  ///< CNI_ARGS
};

struct CniRuntime {
  std::string plugins = {};  ///< CNI_PATH: a folder
  std::string cache = "/var/lib/cni";

  /// `list` is a .conflist. Returns the last plugin's result.
  Result<Json> add(const Json& list, const CniAttachment& attachment) const;
  Status del(const Json& list, const CniAttachment& attachment) const;
};

}  // namespace weft::lab
