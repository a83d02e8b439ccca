#include "kernel/legacy_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace weft::kernel {

Result<std::unique_ptr<LegacyWatch>> LegacyWatch::start(std::string lock_file,
                                                        std::function<void()> changed) {
  std::unique_ptr<LegacyWatch> watch(new LegacyWatch());
  watch->lock_file_ = std::move(lock_file);
  watch->changed_ = std::move(changed);
  watch->inotify_ = Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (watch->inotify_.empty()) return fail_errno("creating an inotify instance");
  RETURN_IF_ERROR(watch->watch_file());
  watch->wake_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (watch->wake_.empty()) return fail_errno("creating an eventfd");
  LegacyWatch* self = watch.get();
  watch->thread_ = std::jthread([self](const std::stop_token& stop) { self->run(stop); });
  return watch;
}

LegacyWatch::~LegacyWatch() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  // An eventfd takes the write at once; the thread then sees the stop.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

// The file and not its folder: inside a container the file alone may be the host's.
Status LegacyWatch::watch_file() {
  const Fd file(::open(lock_file_.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file.empty()) return fail_errno("opening " + lock_file_);
  if (::inotify_add_watch(inotify_.get(), lock_file_.c_str(), IN_CLOSE) < 0)
    return fail_errno("watching " + lock_file_);
  return {};
}

void LegacyWatch::run(const std::stop_token& stop) {
  std::array<pollfd, 2> polled{pollfd{inotify_.get(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
  while (!stop.stop_requested()) {
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;  // EINTR
    if (polled[0].revents != 0) read_events();
  }
}

void LegacyWatch::read_events() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool closed = false;
  bool gone = false;
  for (;;) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;  // EAGAIN: all read
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      closed = closed || (event->mask & (IN_CLOSE | IN_Q_OVERFLOW)) != 0;
      gone = gone || (event->mask & IN_IGNORED) != 0;
      at += sizeof *event + event->len;
    }
  }
  // Whoever removes the lock file makes the next iptables create another.
  if (gone) static_cast<void>(watch_file());
  if (closed || gone) changed_();
}

}  // namespace weft::kernel
