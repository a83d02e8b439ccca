// agent_report.h: what an agent tells of itself: to probes, to Prometheus, to a person.
//
// A value that the agent's loops keep up to date, and the texts that are made of it. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cluster/lease.h"
#include "overlay/backend_counter.h"
#include "overlay/pass_report.h"
#include "serve/metrics_text.h"

namespace weft::overlay {

enum class AgentState { kReady, kWaitingForConfig, kWaitingForLease, kStoreUnreachable, kError };

/// "ready", "waiting-for-lease", ...: as in status.json.
std::string_view to_string(AgentState state);

/// When each lease of the store was last seen to change.
class PeerHistory {
 public:
  struct Entry {
    std::int64_t version = 0;
    UnixSeconds changed{};
  };

  /// Takes over a view; what is new or has another version has changed `now`.
  void update(const LeaseView& view, UnixSeconds now);
  const std::map<LeaseKey, Entry>& entries() const { return entries_; }

 private:
  std::map<LeaseKey, Entry> entries_;
};

struct AgentReport {
  AgentState state = AgentState::kWaitingForConfig;
  std::string reason = {};  ///< why it is in this state; empty when all is well
  UnixSeconds since{};      ///< of state and reason

  std::string backend = {};  ///< "vxlan"
  std::string uplink = {};   ///< "eth0 172.31.0.11"
  std::string store = {};    ///< "etcd at 10.0.0.1:2379"
  std::string store_trouble = {};
  std::uint64_t store_errors = 0;  ///< calls that failed since the start

  std::shared_ptr<const Lease> lease = {};  ///< this node's
  std::shared_ptr<const LeaseView> leases = {};
  PeerHistory history = {};
  std::map<Family, std::size_t> peers = {};  ///< in the kernel
  std::vector<std::string> failures = {};    ///< of the last pass
  std::vector<std::string> refusals = {};    ///< what of other nodes it did not take

  /// How long passes took, in seconds, by cause.
  std::map<PassCause, Histogram> passes = {};
  std::map<std::string, std::uint64_t> repaired = {};  ///< objects that drifted, by kind

  /// A state from now on; the time stays when nothing has changed.
  void set_state(AgentState next, std::string why, UnixSeconds now);
  /// One pass of the repair loop.
  void count_pass(PassCause cause, std::chrono::duration<double> took,
                  const std::map<std::string, std::size_t>& edits_by_kind);
};

/// In Prometheus' text format; `counters` of one name stand in a row.
std::string metrics_text(const AgentReport& report, const std::vector<BackendCounter>& counters);

/// What `weft status` shows, for programs.
Json to_json(const AgentReport& report, UnixSeconds now);

}  // namespace weft::overlay
