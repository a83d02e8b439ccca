// unix_address.h: where a socket of this machine is.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft {

/// A path, or "@name" for an abstract socket (unix(7)).
class UnixAddress {
 public:
  /// ENAMETOOLONG for more than fits.
  static Result<UnixAddress> parse(std::string_view text) {
    UnixAddress address;
    if (text.size() >= sizeof address.where_.sun_path)
      return fail_errno("the socket " + std::string(text), ENAMETOOLONG);
    address.where_.sun_family = AF_UNIX;
    std::memcpy(address.where_.sun_path, text.data(), text.size());
    // An abstract one: its name begins with a zero byte and ends with the address.
    if (text.starts_with('@')) address.where_.sun_path[0] = '\0';
    address.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size());
    return address;
  }

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&where_); }
  socklen_t size() const { return size_; }

 private:
  UnixAddress() = default;

  sockaddr_un where_{};
  socklen_t size_ = 0;
};

}  // namespace weft
