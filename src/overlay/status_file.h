// status_file.h: one line beside subnet.env that says how the agent is.
//
// The CNI plugin reads it when a pod cannot be given a network, so that the pod's event says
// why: the agent waits for its configuration, has no lease, cannot reach its store.
#pragma once

#include <string>

#include "base/result.h"
#include "overlay/agent_report.h"

namespace weft::overlay {

/// Writes `status.json` when its contents would change: {"state", "reason", "since", "pid"}.
class StatusFile {
 public:
  /// Beside the given subnet.env.
  explicit StatusFile(const std::string& subnet_file);

  void set(AgentState state, const std::string& reason, UnixSeconds since);

 private:
  std::string path_;
  std::string last_;
};

}  // namespace weft::overlay
