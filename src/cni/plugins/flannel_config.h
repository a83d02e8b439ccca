// flannel_config.h: the configuration of the flannel plugin, and the one that it hands to its
// delegate. Pure.
//
// Source: flannel-io/cni-plugin flannel_linux.go.
#pragma once

#include <optional>
#include <string>

#include "cluster/subnet_env.h"
#include "cni/plugin.h"

namespace weft::cni {

struct FlannelConfig {
  std::string subnet_file = "/run/flannel/subnet.env";
  std::string data_dir = "/var/lib/cni/flannel";
  Json delegate = Json::object();
  std::optional<Json> ipam = {};
  std::optional<Json> runtime_config = {};
};

CniResult<FlannelConfig> read_flannel_config(const Call& call);

/// The delegate's configuration: a bridge with host-local unless the user chose otherwise, the
/// node's subnets as its ranges, and routes to the cluster's networks.
///
/// Without `env` (the agent's file is gone) ranges, MTU and masquerading stay open: good enough
/// for DEL and GC, which need no more than names.
CniResult<Json> delegate_config(const Call& call, const FlannelConfig& config,
                                const SubnetEnv* env);

}  // namespace weft::cni
