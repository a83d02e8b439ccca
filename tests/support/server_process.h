// server_process.h: a real server that a test starts, stops and kills.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace weft::test {

class ServerProcess {
 public:
  ServerProcess() = default;
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() { end(SIGKILL); }

  /// Starts `argv` in the calling thread's namespaces; what it prints is appended to the file
  /// `log`. `more_environment` ("K=V") goes before ours. False when there is no such program.
  bool start(std::vector<std::string> argv, const std::string& log,
             std::vector<std::string> more_environment = {});
  /// Sends the signal and waits for the end, if it runs.
  void end(int signal);
  pid_t pid() const { return pid_; }  ///< -1 when it does not run

 private:
  pid_t pid_ = -1;
};

}  // namespace weft::test
