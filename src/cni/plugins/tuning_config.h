// tuning_config.h: the configuration of the tuning plugin. Pure.
//
// Source: containernetworking/plugins, plugins/meta/tuning.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cni/plugin.h"

namespace weft::cni {

/// Attributes of a device; what is not set is not asked for.
struct TuningAttributes {
  std::optional<MacAddress> mac = {};
  std::optional<bool> promiscuous = {};
  std::optional<std::uint32_t> mtu = {};
  std::optional<bool> all_multicast = {};
  std::optional<std::uint32_t> tx_queue_length = {};
  bool operator==(const TuningAttributes&) const = default;
  bool empty() const { return *this == TuningAttributes{}; }
};

struct TuningConfig {
  struct Setting {
    std::string key;   ///< as the configuration has it: allow-lists are matched against that
    std::string name;  ///< "net/ipv4/conf/eth0/forwarding"
    std::string value;
    bool operator==(const Setting&) const = default;
  };
  std::vector<Setting> settings = {};  ///< in the order of the text
  TuningAttributes attributes = {};
  std::string mac_text = {};  ///< the MAC address as it was given: the result repeats it
};

/// Refuses sysctls outside of "net/" and, as ambiguous, a key that stands twice.
CniResult<TuningConfig> read_tuning_config(const Call& call);

/// `dataDir`, whatever else is wrong with the configuration.
std::string tuning_data_dir(const Json& config);

/// Whether the operator's list allows the sysctls: one regular expression (cni/expression.h) a
/// line, each matched against any part of a key. One that cannot be understood is an error.
CniStatus check_allowlist(const TuningConfig& config, std::string_view allowlist);

/// The previous result with the new MAC address of the container's device.
void update_mac(AddResult& result, const std::string& ifname, const TuningConfig& config);

}  // namespace weft::cni
