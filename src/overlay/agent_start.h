// agent_start.h: what an agent waits for before it can begin.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include "base/result.h"
#include "overlay/agent_voice.h"
#include "overlay/net_conf.h"
#include "store/kube_store.h"
#include "store/lease_store.h"

namespace weft::overlay {

/// The network configuration; nothing when `stop` came first. A store that cannot be reached or
/// has none yet is waited for, one that cannot be used is an error.
Result<std::optional<NetConf>> wait_for_config(LeaseSource& store, AgentVoice& voice,
                                               const std::stop_token& stop);

/// This node's own Node, as first seen; nullptr when `stop` came first. An API server that cannot
/// be reached and a Node that does not exist yet are waited for.
std::shared_ptr<const Node> wait_for_own_node(KubeStore& store, AgentVoice& voice,
                                              const std::stop_token& stop);

}  // namespace weft::overlay
