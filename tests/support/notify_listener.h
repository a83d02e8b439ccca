// notify_listener.h: a service manager's side of sd_notify(3).
#pragma once

#include <sys/socket.h>

#include <string>

#include <gtest/gtest.h>

#include "base/fd.h"
#include "base/unix_address.h"
#include "support/must.h"

namespace weft::test {

class NotifyListener {
 public:
  explicit NotifyListener(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    const UnixAddress at = must(UnixAddress::parse(path));
    EXPECT_EQ(::bind(fd_.get(), at.get(), at.size()), 0);
  }
  /// "nothing" when no datagram is there.
  std::string next() const {
    char text[512];
    const ssize_t got = ::recv(fd_.get(), text, sizeof text, MSG_DONTWAIT);
    return got < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(got));
  }

 private:
  Fd fd_;
};

}  // namespace weft::test
