// peer_table.h: which node holds an inner address.
//
// Immutable once made, so that the threads which move packets read it without a lock: a change
// of the peers is a new table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "net/datagrams.h"
#include "overlay/peers.h"

namespace weft::overlay::udp {

class PeerTable {
 public:
  PeerTable() = default;
  /// The IPv4 peers among `peers`, whose subnets do not overlap; all listen on `port`.
  PeerTable(std::span<const Peer> peers, std::uint16_t port);

  /// Where the node is whose subnet holds `address`; nothing when no peer's does.
  const UdpAddress* find(std::uint32_t address) const;
  /// Whether any peer is reached at this address.
  bool has_node(std::uint32_t address) const;

 private:
  struct Entry {
    std::uint32_t first;  ///< of the subnet, host order
    std::uint32_t last;
    UdpAddress node;
  };
  std::vector<Entry> entries_;        // in order of their subnets
  std::vector<std::uint32_t> nodes_;  // in order
};

}  // namespace weft::overlay::udp
