// daemon.h: what the front doors of weftd's programs share.
#pragma once

#include <signal.h>

#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace weft::cmd {

/// Before anything is allocated. The threads of a daemon allocate little and seldom, and each
/// arena of the heap keeps what it once had: so there is only one.
void keep_heap_small();

/// Of the process's environment.
std::optional<std::string> environment(const char* name);

/// An Error that names the nearest of `words` when the value of a flag is none of them.
Status one_of(const char* flag, const std::string& given, const std::vector<std::string>& words);

/// Prints "weftd PROGRAM: WHAT; NEXT" on standard error. Returns the exit code of wrong usage.
int wrong_usage(const char* program, const Error& error);

/// The exit code of what has ended so; a failure is logged.
int exit_code(const Status& how);
/// The same for a daemon whose data plane stays.
int ended(const Status& how);

/// How soon the kernel ends this process when memory is short, from -1000 (never) to 1000. Without
/// the right to say so, it stays as it is.
void set_oom_score(int score);

/// Blocks SIGINT and SIGTERM for all threads to come and turns them into a stop.
class SignalStop {
 public:
  SignalStop();
  ~SignalStop();
  SignalStop(const SignalStop&) = delete;
  SignalStop& operator=(const SignalStop&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  sigset_t set_{};
  std::stop_source source_;
  std::jthread thread_;
};

}  // namespace weft::cmd
