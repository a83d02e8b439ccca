// agent_server.h: answers for the agent: /healthz, /livez, /readyz, /metrics over TCP, and
// /status beside them at the unix socket weft.sock, for `weft status`.
//
// The paths and words of /healthz and /readyz are flanneld's; ready means more here: that the
// rules and the peers are in the kernel.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/lock_guarded.h"
#include "overlay/agent_report.h"
#include "serve/http_server.h"

namespace weft::overlay {

struct HealthOptions {
  IpAddress address = {};   ///< --healthz-ip
  std::uint16_t port = 0;   ///< --healthz-port; 0: none
  std::string socket = {};  ///< empty: none
};

class AgentServer {
 public:
  /// `report` is looked at for each answer; `stuck` says what keeps the agent from working, if
  /// something does, and `counters` reads the data path. All are used until *this is gone.
  AgentServer(HealthOptions options, const LockGuarded<AgentReport>& report,
              std::function<std::optional<std::string>()> stuck,
              std::function<std::vector<BackendCounter>()> counters);

  /// Begins to listen where it does not yet. A port that another program has is no reason to
  /// leave a node without network: the failure is for the log, and the call for another time.
  Status listen();

 private:
  HttpReply answer(const std::string& path) const;
  HttpReply ready() const;

  const HealthOptions options_;
  const LockGuarded<AgentReport>& report_;
  const std::function<std::optional<std::string>()> stuck_;
  const std::function<std::vector<BackendCounter>()> counters_;
  bool at_port_ = false;
  bool at_socket_ = false;
  HttpServer server_{[this](const std::string& path) { return answer(path); }};
};

}  // namespace weft::overlay
