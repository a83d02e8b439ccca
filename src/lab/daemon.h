// daemon.h: programs that stay: started, found again and stopped by their process id.
//
// A process id may be another program's by now, so nothing is signalled that does not stand in
// the network namespace in which it was started.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace weft::lab {

struct Daemon {
  std::vector<std::string> argv = {};
  std::vector<std::string> environment = {};  ///< "K=V", beside ours
  std::string log = {};                       ///< appended to by its standard output and error
  bool tells_ready = false;  ///< it writes a byte to descriptor kReadyFd once it serves
};

inline constexpr int kReadyFd = 3;

/// Starts a program in the calling thread's namespaces, in a session of its own, in "/". One that
/// tells when it is ready is waited for, at most 10 s; fails when it ends before that.
Result<pid_t> start_daemon(const Daemon& daemon);

/// Whether a process is there, no zombie, and stands in the network namespace at `netns`.
bool is_running(pid_t pid, const std::string& netns);

/// SIGTERM, and SIGKILL after `grace`. One that is not running there is success.
Status stop_daemon(pid_t pid, const std::string& netns, std::chrono::milliseconds grace);

/// The processes that stand in one of these network namespaces, ourselves left out.
std::vector<pid_t> processes_in(const std::vector<std::string>& netns_paths);

/// Ends all of them with SIGKILL and waits until they are gone, at most 5 s.
Status kill_processes_in(const std::vector<std::string>& netns_paths);

/// Asks every 10 ms until `done` says so; false when that takes longer than `patience`.
bool wait_until(const std::function<bool()>& done, std::chrono::milliseconds patience);

/// The last line of a log that is not empty, for error messages; empty when there is none.
std::string last_line(const std::string& log);

}  // namespace weft::lab
