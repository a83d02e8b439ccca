// conntrack.h: the kernel's table of connections: entries found and removed (ctnetlink).
//
// A UDP or SCTP flow keeps the translation that its first packet met for as long as packets come,
// whatever became of the rules; who changes rules of such traffic removes what they made. Nothing
// is ever flushed as a whole: an entry is removed by its own addresses, ports and number.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "kernel/netlink_socket.h"
#include "net/flow.h"

namespace weft::kernel {

/// What an entry must have to be listed.
struct ConntrackFilter {
  Family family = Family::kIpv4;
  std::uint8_t protocol = 0;
  std::uint16_t original_destination_port = 0;         ///< 0: any
  std::optional<IpAddress> original_destination = {};  ///< nothing: any

  bool matches(const ConntrackEntry& entry) const;
};

class Conntrack {
 public:
  /// In the calling thread's namespace. Fails where the kernel has no ctnetlink.
  static Result<Conntrack> open();

  /// The kernel itself looks through the table where it can (Linux 5.8); else all of it comes.
  Result<std::vector<ConntrackEntry>> list(const ConntrackFilter& filter);
  /// One that is gone is success.
  Status remove(const ConntrackEntry& entry);

 private:
  explicit Conntrack(NetlinkSocket socket) : socket_(std::move(socket)) {}

  NetlinkSocket socket_;
};

}  // namespace weft::kernel
