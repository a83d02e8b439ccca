#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "base/fd.h"
#include "base/text.h"

extern "C" char** environ;

namespace weft {
namespace {

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("creating a pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// A socket and no pipe: a program that ends without reading its input must not end us with
// SIGPIPE, and only a send() can be told so.
Result<Pipe> make_input() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("creating a socket pair");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> result;
  for (const auto& word : words) result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

// Spawn attributes and file actions, released whatever happens.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    // A signal that the daemon blocks or ignores must not stay so in the child.
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    set_flags(0);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  /// Makes the child the head of a process group.
  void lead_group() { set_flags(POSIX_SPAWN_SETPGROUP); }
  void give(const Fd& fd, int as) { posix_spawn_file_actions_adddup2(&actions_, fd.get(), as); }

  Result<pid_t> spawn(const Command& command) {
    const auto argv = pointers(command.argv);
    std::vector<char*> environment;
    if (command.environment) environment = pointers(*command.environment);
    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv.data(),
                                     command.environment ? environment.data() : environ);
    if (error != 0) return fail_errno("starting " + command.argv[0], error);
    return pid;
  }

 private:
  void set_flags(int more) {
    posix_spawnattr_setflags(
        &attributes_, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | more));
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Reads what is there; false at the end of the stream.
bool drain(const Fd& fd, std::string& into) {
  char buffer[8192];
  const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  into.append(buffer, static_cast<std::size_t>(got));
  return got > 0;
}

// Writes what fits; false when nothing is left or nobody reads any more.
bool feed(const Fd& fd, std::string_view& left) {
  const ssize_t written = ::send(fd.get(), left.data(), left.size(), MSG_NOSIGNAL);
  if (written < 0) return errno == EINTR || errno == EAGAIN;
  left.remove_prefix(static_cast<std::size_t>(written));
  return !left.empty();
}

// Moves bytes both ways until the program has closed its ends; false when `deadline` came first.
bool converse(Fd& input, std::string_view left, Fd& output, Fd& errors, Outcome& outcome,
              std::chrono::steady_clock::time_point deadline) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  if (left.empty()) input.reset();
  while (!output.empty() || !errors.empty()) {
    const auto wait =
        duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (wait <= 0) return false;
    std::array<pollfd, 3> polled{pollfd{input.get(), POLLOUT, 0}, pollfd{output.get(), POLLIN, 0},
                                 pollfd{errors.get(), POLLIN, 0}};
    ::poll(polled.data(), polled.size(), static_cast<int>(wait));
    if (polled[0].revents != 0 && !feed(input, left)) input.reset();
    if (polled[1].revents != 0 && !drain(output, outcome.output)) output.reset();
    if (polled[2].revents != 0 && !drain(errors, outcome.errors)) errors.reset();
  }
  return true;
}

}  // namespace

Result<Outcome> run(const Command& command) {
  const auto deadline = std::chrono::steady_clock::now() + command.limit;
  ASSIGN_OR_RETURN(Pipe input, make_input());
  ASSIGN_OR_RETURN(Pipe output, make_pipe());
  ASSIGN_OR_RETURN(Pipe errors, make_pipe());
  SpawnPlan plan;
  plan.give(input.read, STDIN_FILENO);
  plan.give(output.write, STDOUT_FILENO);
  if (!command.pass_stderr) plan.give(errors.write, STDERR_FILENO);
  if (command.own_group) plan.lead_group();
  ASSIGN_OR_RETURN(const pid_t pid, plan.spawn(command));
  input.read.reset();
  output.write.reset();
  errors.write.reset();
  ::fcntl(input.write.get(), F_SETFL, O_NONBLOCK);

  Outcome outcome;
  const bool ended =
      converse(input.write, command.input, output.read, errors.read, outcome, deadline);
  if (!ended) ::kill(command.own_group ? -pid : pid, SIGKILL);
  outcome.exit_code = wait_for(pid);
  if (!ended)
    return fail(command.argv[0] + " did not end within " + std::to_string(command.limit.count()) +
                " ms");
  return outcome;
}

bool is_runnable(const std::string& program) {
  if (program.find('/') != std::string::npos) return ::access(program.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  if (path == nullptr) return false;
  for (const auto& folder : split(path, ':'))
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

Result<std::string> run_or_fail(const Command& command) {
  ASSIGN_OR_RETURN(Outcome outcome, run(command));
  if (outcome.exit_code == 0) return std::move(outcome.output);
  std::string said = outcome.errors.empty() ? outcome.output : outcome.errors;
  while (!said.empty() && said.back() == '\n') said.pop_back();
  for (char& c : said)
    if (c == '\n') c = ' ';
  return fail(command.argv[0] + " ended with exit code " + std::to_string(outcome.exit_code) +
              (said.empty() ? "" : ": " + said));
}

}  // namespace weft
