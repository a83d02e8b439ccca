#include "support/crashing_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "support/eventually.h"

namespace weft::test {
namespace {

bool is_writing(const __ptrace_syscall_info& info) {
  static const std::set<std::uint64_t> kWriting = {
      SYS_write,   SYS_pwrite64,  SYS_rename, SYS_renameat,  SYS_renameat2, SYS_link,
      SYS_linkat,  SYS_symlink,   SYS_unlink, SYS_symlinkat, SYS_unlinkat,  SYS_mkdir,
      SYS_mkdirat, SYS_utimensat, SYS_sendto, SYS_sendmsg,   SYS_ftruncate};
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

// Follows a process and its threads from one system call to the next and spoils the n-th one
// that writes.
class Tracer {
 public:
  Tracer(pid_t pid, unsigned n, Spoil spoil) : pid_(pid), n_(n), spoil_(spoil) {}

  /// Until the process has ended.
  void run() {
    int status = 0;
    ::waitpid(pid_, &status, 0);  // stops at the exec
    ::ptrace(PTRACE_SETOPTIONS, pid_, nullptr,
             PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE);
    ::ptrace(PTRACE_SYSCALL, pid_, nullptr, nullptr);
    for (;;) {
      // Only children of this thread: what others of the test have started is not ours to reap.
      const pid_t thread = ::waitpid(-1, &status, __WALL | __WNOTHREAD);
      if (thread < 0) return;
      if (!WIFSTOPPED(status)) {
        if (thread == pid_) return;
        continue;
      }
      int signal = 0;
      if (WSTOPSIG(status) == (SIGTRAP | 0x80))
        at_call(thread);
      else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP)
        signal = WSTOPSIG(status);
      ::ptrace(PTRACE_SYSCALL, thread, nullptr, signal);
    }
  }

  bool spoilt() const { return spoilt_; }

 private:
  void at_call(pid_t thread) {
    __ptrace_syscall_info info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info);
    if (info.op == PTRACE_SYSCALL_INFO_EXIT && thread == failing_) {
      failing_ = -1;
      set_register(thread, offsetof(user_regs_struct, rax), static_cast<unsigned long>(-EIO));
    }
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_writing(info) || writes_++ != n_) return;
    spoilt_ = true;
    if (spoil_ == Spoil::kKill) {
      ::kill(pid_, SIGKILL);
    } else {
      failing_ = thread;
      // A number that no system call has: the kernel does nothing.
      set_register(thread, offsetof(user_regs_struct, orig_rax), ~0UL);
    }
  }

  static void set_register(pid_t thread, std::size_t offset, unsigned long value) {
    ::ptrace(PTRACE_POKEUSER, thread, offset, value);
  }

  pid_t pid_;
  unsigned n_;
  Spoil spoil_;
  unsigned writes_ = 0;
  bool spoilt_ = false;
  pid_t failing_ = -1;
};

}  // namespace

bool run_until_write(const std::vector<std::string>& argv,
                     const std::vector<std::string>& environment, const std::string& input,
                     unsigned n, Spoil spoil) {
  Tracer tracer(start_traced(argv, environment, input), n, spoil);
  tracer.run();
  return tracer.spoilt();
}

bool run_daemon_and_spoil_write(const std::vector<std::string>& argv,
                                const std::vector<std::string>& environment, unsigned n,
                                Spoil spoil, const std::function<bool()>& settled) {
  const pid_t pid = start_traced(argv, environment, "");
  std::atomic<bool> ended{false};
  std::jthread watcher([&] {
    (void)eventually([&] { return ended || settled(); }, std::chrono::seconds(30));
    if (!ended) ::kill(pid, SIGKILL);
  });
  Tracer tracer(pid, n, spoil);
  tracer.run();
  ended = true;
  return tracer.spoilt();
}

}  // namespace weft::test
