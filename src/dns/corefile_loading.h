// corefile_loading.h: a Corefile off the disk, with the files that it brings in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/plugin_options.h"
#include "store/kube_access.h"

namespace weft::dns {

struct LoadedCorefile {
  std::vector<BlockOptions> blocks = {};
  /// SHA-512 of everything that was read: the file, those of its `import` lines, and the
  /// resolv.conf of each `forward`, since a node that moves to another network has other upstreams.
  std::string digest = {};
};

/// `default_port` is that of zones which name none. Patterns of `import` are relative to the
/// file's own folder.
Result<LoadedCorefile> load_corefile(const std::string& path, std::uint16_t default_port,
                                     const Environment& environment);

}  // namespace weft::dns
