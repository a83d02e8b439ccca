#include "support/crashing_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <set>

#include <gtest/gtest.h>

namespace weft::test {
namespace {

bool is_writing(const __ptrace_syscall_info& info) {
  static const std::set<std::uint64_t> kWriting = {
      SYS_write,   SYS_pwrite64,  SYS_rename, SYS_renameat,  SYS_renameat2, SYS_link,
      SYS_linkat,  SYS_symlink,   SYS_unlink, SYS_symlinkat, SYS_unlinkat,  SYS_mkdir,
      SYS_mkdirat, SYS_utimensat, SYS_sendto, SYS_sendmsg};
  if (info.entry.nr == SYS_openat) return (info.entry.args[2] & (O_CREAT | O_TRUNC)) != 0;
  return kWriting.contains(info.entry.nr);
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> result;
  for (const auto& word : words) result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

pid_t start_traced(const std::vector<std::string>& argv,
                   const std::vector<std::string>& environment, const std::string& input) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  EXPECT_EQ(::write(ends[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
  ::close(ends[1]);
  const auto words = pointers(argv);
  const auto variables = pointers(environment);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(ends[0], STDIN_FILENO);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::execve(words[0], words.data(), variables.data());
    ::_exit(127);
  }
  ::close(ends[0]);
  return pid;
}

}  // namespace

bool run_until_write(const std::vector<std::string>& argv,
                     const std::vector<std::string>& environment, const std::string& input,
                     unsigned n) {
  const pid_t pid = start_traced(argv, environment, input);
  int status = 0;
  ::waitpid(pid, &status, 0);  // stops at the exec
  ::ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  unsigned writes = 0;
  while (WIFSTOPPED(status)) {
    __ptrace_syscall_info info{};
    const bool at_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
    if (at_call) ::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
    if (at_call && info.op == PTRACE_SYSCALL_INFO_ENTRY && is_writing(info) && writes++ == n) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return true;
    }
    ::ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr);
    ::waitpid(pid, &status, 0);
  }
  return false;
}

}  // namespace weft::test
