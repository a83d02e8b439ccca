// node_program.h: the programs of a node that stay, as nodes/NODE/NAME.json remembers them.
//
// Nobody watches over them: one that dies stays dead until it is started again, so that a lab can
// show what a dead program means. What ran is what runs again.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace weft::lab {

/// One program of one node.
struct NodeProgram {
  std::string lab = {};
  std::string node = {};
  std::string name = {};  ///< "agent", "kube-proxy"

  std::string netns() const;  ///< a path
  std::string log() const;    ///< nodes/NODE/NAME.log
};

struct ProgramRecord {
  pid_t pid = 0;
  std::vector<std::string> argv = {};
};

/// Nothing when it was never started there.
std::optional<ProgramRecord> read_record(const NodeProgram& program);
/// 0 when it is not running.
pid_t running_pid(const NodeProgram& program);

/// Starts it in its node, with the command it had before or else with `argv`, and returns its
/// process. That of the running one when there is one.
Result<pid_t> start_program(const NodeProgram& program, const std::vector<std::string>& argv);
/// One that does not run is success.
Status stop_program(const NodeProgram& program);

/// "the agent of node1 ended: LAST LINE OF ITS LOG"
Failure ended(const NodeProgram& program);

}  // namespace weft::lab
