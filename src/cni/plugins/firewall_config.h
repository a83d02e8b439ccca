// firewall_config.h: the configuration of the firewall plugin. Pure.
//
// Source: containernetworking/plugins, plugins/meta/firewall (firewall.go).
#pragma once

#include <optional>
#include <string>

#include "cni/plugin.h"

namespace weft::cni {

struct FirewallConfig {
  enum class Backend { kIptables, kFirewalld };
  enum class IngressPolicy { kOpen, kSameBridge, kIsolated };
  std::optional<Backend> backend = {};  ///< nothing: firewalld where it runs, else iptables
  std::string admin_chain = "CNI-ADMIN";
  std::string zone = "trusted";
  IngressPolicy policy = IngressPolicy::kOpen;
};

CniResult<FirewallConfig> read_firewall_config(const Call& call);

/// The bridge that an ingress policy is about: the first interface of a result.
CniResult<std::string> policed_bridge(const AddResult& result, const FirewallConfig& config);

}  // namespace weft::cni
