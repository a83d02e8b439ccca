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

/// `events` are EPOLLIN and the like. The descriptor's closing ends it.
inline Status watch(int epoll, int fd, std::uint32_t events, Watched& watched) {
  epoll_event event{.events = events, .data = {.ptr = &watched}};
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return fail_errno("watching a socket");
}

}  // namespace weft::service
