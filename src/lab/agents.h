// agents.h: the nodes' agents (`weftd flanneld`).
//
// Nobody watches over an agent: one that dies stays dead until `weft lab agent start`, so that a
// lab can show what a dead agent means. What ran is written to nodes/NODE/agent.json, and is
// what runs again.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/model.h"
#include "lab/programs.h"

namespace weft::lab {

struct AgentRecord {
  pid_t pid = 0;
  std::vector<std::string> argv = {};
};

/// What the agent of a node wrote to its /run/flannel/subnet.env.
struct SubnetEnv {
  std::vector<Prefix> networks = {};  ///< FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK
  std::vector<Prefix> subnets = {};   ///< FLANNEL_SUBNET, FLANNEL_IPV6_SUBNET
};

/// Starts a node's agent and waits until it has its subnet, at most 15 s. Success with the
/// running one's subnets when there is one.
Result<SubnetEnv> start_agent(const Lab& lab, const Programs& programs, const Node& node);
Status stop_agent(const Lab& lab, const std::string& node);

/// Nothing when no agent was ever started there.
std::optional<AgentRecord> read_agent_record(const std::string& lab, const std::string& node);
bool agent_is_running(const std::string& lab, const std::string& node);

/// Nothing when the file is not there or says nothing of use.
std::optional<SubnetEnv> read_subnet_env(const std::string& lab, const std::string& node);

std::string agent_log(const std::string& lab, const std::string& node);

}  // namespace weft::lab
