#include "lab/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"

extern "C" char** environ;

namespace weft::lab {
namespace {

using Inode = std::pair<dev_t, ino_t>;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPause(5);

std::optional<Inode> inode_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return Inode(info.st_dev, info.st_ino);
}

std::optional<Inode> netns_of(pid_t pid) {
  return inode_of("/proc/" + std::to_string(pid) + "/ns/net");
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> result;
  for (const auto& word : words) result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> whole_environment(const std::vector<std::string>& additions) {
  std::vector<std::string> all = additions;
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  return all;
}

// A child of ours that has ended stays a zombie until somebody asks for it.
void reap(pid_t pid) {
  ::waitpid(pid, nullptr, WNOHANG);
}

// The pipe ends when the program does.
Status wait_until_ready(const Fd& ready, const Daemon& daemon) {
  constexpr int kPatience = 10'000;
  pollfd waited{.fd = ready.get(), .events = POLLIN, .revents = 0};
  char byte = 0;
  const std::string& program = daemon.argv.front();
  if (::poll(&waited, 1, kPatience) == 0)
    return fail(program + " does not serve after 10 s", "see " + daemon.log);
  if (::read(ready.get(), &byte, 1) != 1)
    return fail(program + " ended: " + last_line(daemon.log), "see " + daemon.log);
  return {};
}

}  // namespace

Result<pid_t> start_daemon(const Daemon& daemon) {
  int ends[2] = {-1, -1};
  if (daemon.tells_ready && ::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("opening a pipe");
  const Fd ready(ends[0]);
  Fd told(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, daemon.log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  if (daemon.tells_ready) posix_spawn_file_actions_adddup2(&actions, told.get(), kReadyFd);
  posix_spawn_file_actions_addchdir_np(&actions, "/");
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const auto environment = whole_environment(daemon.environment);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, daemon.argv.front().c_str(), &actions, &attributes,
                                   pointers(daemon.argv).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return fail_errno("starting " + daemon.argv.front(), error);
  told.reset();
  if (daemon.tells_ready) RETURN_IF_ERROR(wait_until_ready(ready, daemon));
  return pid;
}

bool is_running(pid_t pid, const std::string& netns) {
  if (pid <= 0) return false;
  reap(pid);
  const auto home = inode_of(netns);
  return home && netns_of(pid) == home;
}

Status stop_daemon(pid_t pid, const std::string& netns, milliseconds grace) {
  if (!is_running(pid, netns)) return {};
  ::kill(pid, SIGTERM);
  // A program that was stopped (SIGSTOP) cannot heed it before it goes on.
  ::kill(pid, SIGCONT);
  const auto deadline = steady_clock::now() + grace;
  while (is_running(pid, netns) && steady_clock::now() < deadline)
    std::this_thread::sleep_for(kPause);
  if (!is_running(pid, netns)) return {};
  ::kill(pid, SIGKILL);
  const auto last = steady_clock::now() + std::chrono::seconds(2);
  while (is_running(pid, netns)) {
    if (steady_clock::now() > last)
      return fail("process " + std::to_string(pid) + " does not end, not even with SIGKILL");
    std::this_thread::sleep_for(kPause);
  }
  return {};
}

std::vector<pid_t> processes_in(const std::vector<std::string>& netns_paths) {
  std::set<Inode> wanted;
  for (const auto& path : netns_paths)
    if (const auto inode = inode_of(path)) wanted.insert(*inode);
  std::vector<pid_t> found;
  const auto entries = list_directory("/proc");
  if (!entries || wanted.empty()) return found;
  for (const auto& entry : *entries) {
    const auto number = parse_number(entry);
    if (!number || static_cast<pid_t>(*number) == ::getpid()) continue;
    const auto pid = static_cast<pid_t>(*number);
    if (const auto netns = netns_of(pid); netns && wanted.contains(*netns)) found.push_back(pid);
  }
  return found;
}

Status kill_processes_in(const std::vector<std::string>& netns_paths) {
  const auto deadline = steady_clock::now() + std::chrono::seconds(5);
  for (;;) {
    const auto pids = processes_in(netns_paths);
    if (pids.empty()) return {};
    for (const pid_t pid : pids) {
      ::kill(pid, SIGKILL);
      reap(pid);
    }
    if (steady_clock::now() > deadline)
      return fail("process " + std::to_string(pids.front()) +
                  " does not end, not even with SIGKILL");
    std::this_thread::sleep_for(kPause);
  }
}

bool wait_until(const std::function<bool()>& done, milliseconds patience) {
  const auto deadline = steady_clock::now() + patience;
  while (!done()) {
    if (steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

std::string last_line(const std::string& log) {
  const auto text = read_file(log);
  if (!text) return {};
  const auto lines = split(*text, '\n');
  const auto last = std::find_if(lines.rbegin(), lines.rend(),
                                 [](const std::string& line) { return !trim(line).empty(); });
  return last == lines.rend() ? "" : std::string(trim(*last));
}

}  // namespace weft::lab
