// icmp_socket.h: ICMP and ICMPv6 echo requests on a raw socket (RFC 792, RFC 4443).
//
// Requests are never fragmented on the way (DF). The socket belongs to the network namespace in
// which it was opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "net/address.h"

namespace weft::matrix {

/// What came back for one request.
struct EchoAnswer {
  std::uint16_t sequence = 0;
  int ttl = 0;
  std::string refusal = {};  ///< empty for a reply: "10.0.0.1 says: host unreachable"
};

class IcmpSocket {
 public:
  static Result<IcmpSocket> open(Family family);

  /// `size` is that of the whole IP packet. EMSGSIZE when the route allows no such size.
  Status send(const IpAddress& target, std::uint16_t sequence, std::uint32_t size);
  /// The next answer to a request of this socket; nothing when none is there yet.
  std::optional<EchoAnswer> receive();

  int fd() const { return fd_.get(); }

 private:
  IcmpSocket(Fd fd, Family family, std::uint16_t id)
      : fd_(std::move(fd)), family_(family), id_(id) {}

  Fd fd_;
  Family family_;
  std::uint16_t id_;
};

/// Of an ordinary echo request.
inline constexpr std::uint32_t kSmallPacket = 84;

}  // namespace weft::matrix
