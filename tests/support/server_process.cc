#include "support/server_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

extern "C" char** environ;

namespace weft::test {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  return pointers;
}

}  // namespace

bool ServerProcess::start(std::vector<std::string> argv, const std::string& log,
                          std::vector<std::string> more_environment) {
  end(SIGKILL);
  auto arguments = pointers_to(argv);
  arguments.push_back(nullptr);
  auto environment = pointers_to(more_environment);
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  const int error = ::posix_spawnp(&pid_, argv[0].c_str(), &actions, nullptr, arguments.data(),
                                   environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) pid_ = -1;
  return error == 0;
}

void ServerProcess::end(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace weft::test
