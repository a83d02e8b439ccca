// host_local_config.h: the configuration of host-local. Pure.
#pragma once

#include <string>
#include <vector>

#include "cni/plugin.h"
#include "cni/plugins/host_local_ranges.h"

namespace weft::cni {

struct HostLocalConfig {
  std::string data_dir = "/var/lib/cni/networks";
  std::string resolv_conf = {};  ///< a file; empty: the result has no DNS part
  std::vector<RangeSet> sets = {};
  std::vector<ResultRoute> routes = {};
  std::vector<IpAddress> requested = {};  ///< wished for by CNI_ARGS, args and runtimeConfig
};

/// Everything, checked. Ranges of runtimeConfig come first, then a range that stands in `ipam`
/// itself, then `ranges`.
CniResult<HostLocalConfig> read_host_local_config(const Call& call);

/// Only the folder: all that DEL and GC need. What else is wrong with a configuration does not
/// keep an address from being released.
std::string host_local_data_dir(const Json& config);

/// The lines of a resolv.conf(5) as the `dns` of a result.
Dns parse_resolv_conf(std::string_view text);

}  // namespace weft::cni
