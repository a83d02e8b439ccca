// subnet_env.h: the file through which the agent tells the CNI plugin about its node.
//
// /run/flannel/subnet.env, byte for byte flannel's: shell-safe KEY=VALUE lines in a fixed order.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cluster/lease.h"
#include "net/address.h"

namespace weft {

struct SubnetEnv {
  /// FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK. Comma lists are read, one network is written.
  std::map<Family, std::vector<Prefix>> networks = {};
  /// FLANNEL_SUBNET, FLANNEL_IPV6_SUBNET: this node's pods.
  std::map<Family, Prefix> subnets = {};
  std::uint32_t mtu = 0;
  bool masquerade = false;  ///< the agent masquerades, so the plugin must not

  /// The file's text. A subnet is written with its first host address, as flannel does.
  std::string to_text() const;

  /// Reads the text. Unknown keys, blank lines and comments are ignored. Half a file, or one of
  /// something else, is refused with the names of all that is missing, in the words of flannel's
  /// plugin behind the file's name: "is missing FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK".
  static Result<SubnetEnv> parse(std::string_view text);

  /// The subnets as the key of a lease.
  LeaseKey lease_key() const;

  bool operator==(const SubnetEnv&) const = default;
};

/// What tells the agents of a node in several pod networks apart: "blue" of
/// "/run/flannel/blue.env",
/// "" of the usual subnet.env.
std::string agent_name(const std::string& subnet_file);

/// Where an agent keeps its file `name` beside its subnet.env: "/run/flannel/status.json". A node
/// in several pod networks has several agents, whose files may share a folder: of
/// "/run/flannel/blue.env" it is "/run/flannel/blue.status.json".
std::string beside_subnet_file(const std::string& subnet_file, const std::string& name);

}  // namespace weft
