#include "cmd/daemon.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/exit_code.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

namespace weft::cmd {

void keep_heap_small() {
  mallopt(M_ARENA_MAX, 1);
}

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Status one_of(const char* flag, const std::string& given, const std::vector<std::string>& words) {
  if (std::find(words.begin(), words.end(), given) != words.end()) return {};
  return fail(std::string(flag) + ": there is no \"" + given + "\"" + did_you_mean(given, words));
}

int wrong_usage(const char* program, const Error& error) {
  std::fprintf(stderr, "weftd %s: %s\n", program, error.text().c_str());
  return static_cast<int>(ExitCode::kUsage);
}

int exit_code(const Status& how) {
  if (how) return static_cast<int>(ExitCode::kFine);
  spdlog::error("{}", how.error().text());
  return static_cast<int>(ExitCode::kWrong);
}

int ended(const Status& how) {
  if (how) spdlog::info("stopped; the data plane stays as it is");
  return exit_code(how);
}

void set_oom_score(int score) {
  const std::string text = std::to_string(score) + "\n";
  const Fd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file.empty() || ::write(file.get(), text.data(), text.size()) < 0)
    spdlog::debug("the score for want of memory stays as it is: {}", std::strerror(errno));
}

SignalStop::SignalStop() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGINT);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, SIGUSR1);  // ends the wait when the daemon ends first
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  thread_ = std::jthread([this] {
    int signal = 0;
    sigwait(&set_, &signal);
    source_.request_stop();
  });
}

SignalStop::~SignalStop() {
  pthread_kill(thread_.native_handle(), SIGUSR1);
}

}  // namespace weft::cmd
