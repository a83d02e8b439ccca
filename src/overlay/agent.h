// agent.h: flanneld's work on one node: a lease, a data plane that follows everybody's leases,
// and the repair of both.
//
// Theory of operation. Two loops and two watchers, each on a thread of its own:
//
//   lease watch  ──▶ lease loop      gets and keeps this node's lease (talks to the store)
//        └─────────▶ repair loop     brings the kernel to what the leases say (never waits for
//   kernel monitor ──────┘           the store)
//
// The watchers only nudge. The loops share the node's identity and its lease, both behind
// locks that are held for a copy at most.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/lock_guarded.h"
#include "base/loop.h"
#include "base/result.h"
#include "kernel/monitor.h"
#include "overlay/agent_voice.h"
#include "overlay/allocating_keeper.h"
#include "overlay/data_plane.h"
#include "overlay/net_conf.h"
#include "overlay/reconciler.h"
#include "store/kube_store.h"
#include "store/lease_store.h"

namespace weft::overlay {

struct AgentOptions {
  Reconciler::Options node;
  LeaseTimes lease;               ///< where the node takes its subnet itself
  bool declare_available = true;  ///< in Kubernetes: sets the condition NetworkUnavailable
  HealthOptions health = {};
  ServiceManager manager = {};
  std::function<void()> ready = {};  ///< called once, when the kernel has the peers; may be empty
};

/// Runs until `stop`; returns success then, and leaves the data plane as it is. Fails when the
/// configuration cannot be used or the node has no fitting interface: a person is needed. A
/// store that cannot be reached is waited for.
Status run_agent(LeaseStore& store, const AgentOptions& options, const std::stop_token& stop);

/// The same in a Kubernetes cluster, which gives the node its subnet.
Status run_agent(KubeStore& store, const AgentOptions& options, const std::stop_token& stop);

}  // namespace weft::overlay
