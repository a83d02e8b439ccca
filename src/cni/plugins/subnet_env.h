// subnet_env.h: the file by which flannel's agent tells the plugin what the node's subnet is.
//
// Source: flannel-io/cni-plugin flannel.go; the agent writes it as lines of KEY=VALUE. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace weft::cni {

struct SubnetEnv {
  std::vector<Prefix> ipv4_networks = {};  ///< of the cluster: FLANNEL_NETWORK, a comma list
  std::vector<Prefix> ipv6_networks = {};
  std::optional<Prefix> ipv4_subnet = {};  ///< of the node: FLANNEL_SUBNET
  std::optional<Prefix> ipv6_subnet = {};
  std::uint32_t mtu = 0;
  bool ip_masq = false;  ///< the agent masquerades, so the plugin must not
  bool operator==(const SubnetEnv&) const = default;
};

/// Takes whole files only: a missing key is an error that lists all that are missing. `name` is
/// what the file is called in errors. Unknown keys are passed over.
Result<SubnetEnv> parse_subnet_env(std::string_view text, const std::string& name);

}  // namespace weft::cni
