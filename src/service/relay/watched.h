// watched.h: what a worker of the relay waits for, and how.
#pragma once

#include <sys/epoll.h>

#include <cstdint>

#include "base/result.h"

namespace weft::service {

/// Told on the worker's thread when one of its descriptors has something new.
class Watched {
 public:
  virtual ~Watched() = default;
  virtual void ready() = 0;
};

/// `events` are EPOLLIN and the like. To be ended with unwatch() before the descriptor is closed.
inline Status watch(int epoll, int fd, std::uint32_t events, Watched& watched) {
  epoll_event event{.events = events, .data = {.ptr = &watched}};
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return fail_errno("watching a socket");
}

/// Closing is not enough: a program that is being started at this moment still has a copy of the
/// descriptor, and for so long the kernel goes on to tell of it (epoll(7)).
inline void unwatch(int epoll, int fd) {
  if (fd >= 0) ::epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
}

}  // namespace weft::service
