// host_local_config.h: the configuration of host-local. Pure.
#pragma once

#include <string>
#include <vector>

#include "cni/plugin.h"
#include "cni/plugins/host_local_ranges.h"

namespace weft::cni {

/// Where the addresses are kept, and how.
struct HostLocalPlace {
  std::string data_dir = "/var/lib/cni/networks";
  /// "releaseAfterReboot", which the Go plugin does not know: addresses of containers that ran
  /// before the machine was started anew are nobody's. Not for a folder that others than weft
  /// give addresses out of too.
  bool release_after_reboot = false;
};

struct HostLocalConfig {
  HostLocalPlace place = {};
  std::string resolv_conf = {};  ///< a file; empty: the result has no DNS part
  std::vector<RangeSet> sets = {};
  std::vector<ResultRoute> routes = {};
  std::vector<IpAddress> requested = {};  ///< wished for by CNI_ARGS, args and runtimeConfig
};

/// Everything, checked. Ranges of runtimeConfig come first, then a range that stands in `ipam`
/// itself, then `ranges`.
CniResult<HostLocalConfig> read_host_local_config(const Call& call);

/// All that DEL and GC need. What else is wrong with a configuration does not keep an address
/// from being released.
HostLocalPlace host_local_place(const Json& config);

/// The lines of a resolv.conf(5) as the `dns` of a result.
Dns parse_resolv_conf(std::string_view text);

}  // namespace weft::cni
