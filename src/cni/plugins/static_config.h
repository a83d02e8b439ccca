// static_config.h: the configuration of the static plugin. Pure.
//
// Source: containernetworking/plugins, plugins/ipam/static.
#pragma once

#include <optional>
#include <vector>

#include "cni/plugin.h"

namespace weft::cni {

struct StaticConfig {
  struct Address {
    InterfaceAddress address = {};
    std::optional<IpAddress> gateway = {};
    bool operator==(const Address&) const = default;
  };
  std::vector<Address> addresses = {};
  std::vector<ResultRoute> routes = {};
  Dns dns = {};
};

/// Addresses of CNI_ARGS stand behind those of the configuration; `args` replaces both, and
/// `runtimeConfig` all three.
CniResult<StaticConfig> read_static_config(const Call& call);

}  // namespace weft::cni
