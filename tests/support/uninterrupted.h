// uninterrupted.h: a call that a signal has ended early is made again.
//
// A test program starts programs on some threads while others wait at sockets. The end of a child
// is a signal that such a wait may be woken by, and where the socket has a time-out the kernel
// does not go on with the call by itself (signal(7)).
#pragma once

#include <cerrno>

namespace weft::test {

/// `call` returns less than 0 and sets errno when it fails.
template <class Call>
auto uninterrupted(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace weft::test
