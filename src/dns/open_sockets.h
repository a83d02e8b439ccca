// open_sockets.h: the sockets of a DNS server as things that can be passed on: to the threads of
// the next one, or to another process (handover.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "dns/listen_address.h"

namespace weft::dns {

enum class SocketKind : std::uint8_t { kUdp, kTcp };

/// Bound, and listening where it is of TCP.
struct OpenSocket {
  SocketKind kind = SocketKind::kUdp;
  ListenAddress address = {};
  Fd fd = {};
};

class OpenSockets {
 public:
  void add(OpenSocket socket) { sockets_.push_back(std::move(socket)); }
  void add_all(OpenSockets others) {
    std::move(others.sockets_.begin(), others.sockets_.end(), std::back_inserter(sockets_));
  }

  /// One at that address, which is no longer here then; nothing without one.
  std::optional<Fd> take(SocketKind kind, const ListenAddress& address) {
    const auto found = std::find_if(sockets_.begin(), sockets_.end(), [&](const OpenSocket& each) {
      return each.kind == kind && each.address == address;
    });
    if (found == sockets_.end()) return std::nullopt;
    Fd fd = std::move(found->fd);
    sockets_.erase(found);
    return fd;
  }
  bool has(const ListenAddress& address) const {
    return std::any_of(sockets_.begin(), sockets_.end(),
                       [&](const OpenSocket& each) { return each.address == address; });
  }
  const std::vector<OpenSocket>& all() const { return sockets_; }

 private:
  std::vector<OpenSocket> sockets_;
};

}  // namespace weft::dns
