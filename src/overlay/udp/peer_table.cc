#include "overlay/udp/peer_table.h"

#include <algorithm>

namespace weft::overlay::udp {

PeerTable::PeerTable(std::span<const Peer> peers, std::uint16_t port) {
  for (const auto& peer : peers)
    if (peer.subnet.family() == Family::kIpv4 && peer.public_address.is_v4())
      entries_.push_back({.first = peer.subnet.address().v4_number(),
                          .last = peer.subnet.last().v4_number(),
                          .node = {.address = peer.public_address.v4_number(), .port = port}});
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& one, const Entry& other) { return one.first < other.first; });
  for (const auto& entry : entries_) nodes_.push_back(entry.node.address);
  std::sort(nodes_.begin(), nodes_.end());
}

const UdpAddress* PeerTable::find(std::uint32_t address) const {
  const auto after = std::upper_bound(
      entries_.begin(), entries_.end(), address,
      [](std::uint32_t wanted, const Entry& entry) { return wanted < entry.first; });
  if (after == entries_.begin() || std::prev(after)->last < address) return nullptr;
  return &std::prev(after)->node;
}

bool PeerTable::has_node(std::uint32_t address) const {
  return std::binary_search(nodes_.begin(), nodes_.end(), address);
}

}  // namespace weft::overlay::udp
