// agents.h: the nodes' agents (`weftd flanneld`).
//
// One that dies stays dead until `weft lab agent start` (node_program.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/model.h"
#include "lab/node_program.h"
#include "lab/programs.h"

namespace weft::lab {

/// What the agent of a node wrote to its /run/flannel/subnet.env.
struct SubnetEnv {
  std::vector<Prefix> networks = {};  ///< FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK
  std::vector<Prefix> subnets = {};   ///< FLANNEL_SUBNET, FLANNEL_IPV6_SUBNET
};

/// Starts a node's agent and waits until it has its subnet, at most 15 s. Success with the
/// running one's subnets when there is one.
Result<SubnetEnv> start_agent(const Lab& lab, const Programs& programs, const Node& node);

NodeProgram agent_of(const std::string& lab, const std::string& node);

/// Nothing when the file is not there or says nothing of use.
std::optional<SubnetEnv> read_subnet_env(const std::string& lab, const std::string& node);

}  // namespace weft::lab
