// daemon.h: a program in the background, in the calling thread's namespaces, for as long as the
// object lives.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/files.h"

namespace weft::test {

class Daemon {
 public:
  /// What it says on standard error is appended to the file `log`.
  Daemon(std::vector<std::string> argv, std::string log) : log_(std::move(log)) {
    std::vector<char*> pointers;
    for (auto& word : argv) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log_.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int error =
        ::posix_spawnp(&pid_, pointers[0], &actions, nullptr, pointers.data(), ::environ);
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(error, 0) << "starting " << argv[0];
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon() { end(SIGKILL); }

  /// Sends a signal and waits until the program has ended.
  void end(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }

  pid_t pid() const { return pid_; }

  /// Everything that it has said so far.
  std::string said() const { return read_file(log_).value_or(""); }

 private:
  std::string log_;
  pid_t pid_ = -1;
};

}  // namespace weft::test
