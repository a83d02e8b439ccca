// process.h: another program, run to its end or started for good. Never through a shell.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace weft {

struct Command {
  std::vector<std::string> argv = {};  ///< argv[0] is searched in PATH unless it holds a slash
  std::string input = {};              ///< what it reads from standard input
  std::optional<std::vector<std::string>> environment = {};  ///< "K=V"; ours when absent
  std::chrono::milliseconds limit{30'000};  ///< after this it is killed and run() fails
  bool own_group = false;                   ///< what it started itself is killed with it
  bool pass_stderr = false;  ///< its standard error is ours, instead of being collected
};

struct Outcome {
  int exit_code = 0;  ///< 128 + n after signal n
  std::string output = {};
  std::string errors = {};
};

/// Runs a program to its end. Fails when it cannot be started or outlives its limit; an exit
/// code other than 0 is an Outcome and not a failure.
Result<Outcome> run(const Command& command);

/// Whether PATH, or the path itself when it holds a slash, leads to a program that may be run.
bool is_runnable(const std::string& program);

/// run(), and an exit code other than 0 is a failure that quotes what the program said.
Result<std::string> run_or_fail(const Command& command);

}  // namespace weft
