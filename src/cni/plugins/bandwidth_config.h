// bandwidth_config.h: the configuration of the bandwidth plugin. Pure.
//
// Source: containernetworking/plugins, plugins/meta/bandwidth, and CONVENTIONS.md ("bandwidth").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cni/plugin.h"
#include "net/traffic_control.h"

namespace weft::cni {

/// What limits each direction; nothing: it is not limited.
struct BandwidthConfig {
  std::optional<TokenBucket> ingress = {};  ///< towards the container
  std::optional<TokenBucket> egress = {};   ///< from it
  bool empty() const { return !ingress && !egress; }
};

/// The configuration's own limits win over those of the runtime, even if they are all zero.
CniResult<BandwidthConfig> read_bandwidth_config(const Call& call);

/// The names that the device for egress may have: the Go plugin's, which is the same for every
/// interface of a container in a network, and one for a second such interface.
std::string ifb_name(const Call& call);
std::string second_ifb_name(const Call& call);

/// Marks such a device as an attachment's (IFLA_IFALIAS); it begins with the network's hash.
std::string ifb_alias(const Call& call);

}  // namespace weft::cni
