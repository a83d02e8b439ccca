// poller.h: waiting for many sockets at once (man 7 epoll), level-triggered.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <span>

#include "base/fd.h"
#include "base/result.h"

namespace weft::dns {

class Poller {
 public:
  static Result<Poller> open() {
    Fd fd(::epoll_create1(EPOLL_CLOEXEC));
    if (fd.empty()) return fail_errno("making an epoll descriptor");
    return Poller(std::move(fd));
  }

  int fd() const { return poller_.get(); }

  /// `events` are EPOLLIN and the like. Watching the descriptor again changes them.
  Status watch(int fd, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.fd = fd}};
    if (::epoll_ctl(poller_.get(), EPOLL_CTL_MOD, fd, &event) == 0) return {};
    if (errno == ENOENT && ::epoll_ctl(poller_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
    return fail_errno("watching a socket");
  }

  /// The descriptors that have something, whose closing ends their being watched. Empty after
  /// `longest` (negative: never), and after a signal.
  std::span<const epoll_event> wait(std::chrono::milliseconds longest) {
    const int count = ::epoll_wait(poller_.get(), events_.data(), static_cast<int>(events_.size()),
                                   static_cast<int>(longest.count()));
    return {events_.data(), count < 0 ? 0U : static_cast<std::size_t>(count)};
  }

 private:
  explicit Poller(Fd fd) : poller_(std::move(fd)) {}
  Fd poller_;
  std::array<epoll_event, 64> events_{};
};

}  // namespace weft::dns
