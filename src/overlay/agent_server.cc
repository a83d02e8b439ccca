#include "overlay/agent_server.h"

#include <utility>

namespace weft::overlay {
AgentServer::AgentServer(HealthOptions options, const LockGuarded<AgentReport>& report,
                         std::function<std::optional<std::string>()> stuck,
                         std::function<std::vector<BackendCounter>()> counters)
    : options_(std::move(options)),
      report_(report),
      stuck_(std::move(stuck)),
      counters_(std::move(counters)) {}

Status AgentServer::listen() {
  if (!at_socket_ && !options_.socket.empty()) {
    RETURN_IF_ERROR(server_.listen(options_.socket));
    at_socket_ = true;
  }
  if (!at_port_ && options_.port != 0) {
    RETURN_IF_ERROR(server_.listen(options_.address, options_.port));
    at_port_ = true;
  }
  return {};
}

HttpReply AgentServer::ready() const {
  return report_.with([](const AgentReport& report) -> HttpReply {
    if (report.state == AgentState::kReady) return {.body = "flanneld is ready"};
    return {.status = 503,
            .body = "flanneld is not ready yet: " + std::string(to_string(report.state)) +
                    (report.reason.empty() ? "" : ": " + report.reason)};
  });
}

HttpReply AgentServer::answer(const std::string& path) const {
  if (path == "/healthz") return {.body = "flanneld is running"};
  if (path == "/readyz") return ready();
  if (path == "/livez") {
    if (const auto trouble = stuck_()) return {.status = 500, .body = *trouble};
    return {.body = "flanneld is alive"};
  }
  if (path == "/metrics") {
    const auto counters = counters_();
    return {.body = report_.with(
                [&](const AgentReport& report) { return metrics_text(report, counters); }),
            .type = kMetricsType};
  }
  if (path == "/status")
    return {.body = report_.with(
                [](const auto& report) { return to_text(to_json(report, unix_now())); }),
            .type = "application/json"};
  return {.status = 404, .body = "there are /healthz, /livez, /readyz, /metrics and /status\n"};
}

}  // namespace weft::overlay
