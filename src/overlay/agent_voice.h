// agent_voice.h: everything through which an agent speaks of itself: status.json for the CNI
// plugin, HTTP for probes, Prometheus and `weft status`, datagrams for the service manager.
//
// It speaks from the first moment: also an agent that waits for its store says that it waits.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/lock_guarded.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/sd_notify.h"
#include "overlay/agent_report.h"
#include "overlay/agent_server.h"
#include "overlay/status_file.h"

namespace weft::overlay {

class AgentVoice {
 public:
  struct Options {
    std::string subnet_file;  ///< status.json and weft.sock stand beside it
    HealthOptions health = {};
    ServiceManager manager = {};
    std::function<void()> ready = {};  ///< called once, beside what the manager is told
  };

  /// Listens from now on; where that fails it is logged and tried again.
  explicit AgentVoice(Options options);
  ~AgentVoice();

  /// The state of the agent from now on. From one thread at a time.
  void set(AgentState state, const std::string& reason);

  /// Brings what is told up to date. `edit` must not wait for anything.
  void update(const std::function<void(AgentReport&)>& edit) { report_.with(edit); }

  /// How to read the data path's counters, from any thread; nothing: there are none any more.
  void count_with(std::function<std::vector<BackendCounter>()> read) {
    counters_.with([&](auto& reader) { reader = std::move(read); });
  }

  /// The repair loop says when it works: a pass that does not end is no life.
  void pass_begins();
  void pass_ends();

 private:
  using Clock = std::chrono::steady_clock;

  Rest tick();
  std::optional<std::string> stuck() const;

  const ServiceManager manager_;
  const std::function<void()> ready_;
  StatusFile status_file_;
  LockGuarded<AgentReport> report_;
  LockGuarded<std::optional<Clock::time_point>> pass_began_;
  LockGuarded<std::function<std::vector<BackendCounter>()>> counters_;
  bool told_ready_ = false;
  RateLimit quiet_{std::chrono::seconds(60)};
  AgentServer server_;
  Loop loop_{[this] { return tick(); }};  // last: it uses the rest
};

}  // namespace weft::overlay
