#include "base/file_lock.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace weft {
namespace {

using std::chrono::steady_clock;

// Interrupts the system calls of this thread at a deadline, and again and again after it: the
// first signal may come just before the call that it is meant for.
class Alarm {
 public:
  explicit Alarm(std::chrono::milliseconds delay) {
    struct sigaction quiet {};
    quiet.sa_handler = [](int) {};  // and no SA_RESTART
    // It stays: another thread may be waiting with it.
    ::sigaction(SIGALRM, &quiet, nullptr);
    struct sigevent event {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGALRM;
    event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));
    // The system calls themselves: timer_create() would bring glibc's threads, and with them its
    // resolver, into a static program, 70 KB of them.
    made_ = ::syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer_) == 0;
    constexpr long kAgain = 10'000'000;
    const itimerspec times{
        .it_interval = {.tv_sec = 0, .tv_nsec = kAgain},
        .it_value = {.tv_sec = delay.count() / 1000, .tv_nsec = delay.count() % 1000 * 1'000'000}};
    armed_ = made_ && ::syscall(SYS_timer_settime, timer_, 0, &times, nullptr) == 0;
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() {
    if (made_) ::syscall(SYS_timer_delete, timer_);
  }

  bool armed() const { return armed_; }

 private:
  int timer_ = 0;  // the kernel's number of it
  bool made_ = false;
  bool armed_ = false;
};

}  // namespace

Status lock_file(int fd, std::chrono::milliseconds patience) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return fail_errno("locking");
  const auto deadline = steady_clock::now() + patience;
  const Alarm alarm(std::max(patience, std::chrono::milliseconds(1)));  // 0 would be never
  if (!alarm.armed()) return fail_errno("setting a timer");
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) return fail_errno("locking");
    if (steady_clock::now() >= deadline) return fail_errno("locking", ETIMEDOUT);
  }
  return {};
}

}  // namespace weft
