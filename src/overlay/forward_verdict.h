// forward_verdict.h: whether an nftables table drops the pods' packets, whatever other tables say.
//
// In nftables a drop is final and an accept is not: it only ends the walk through its own base
// chain. So where a base chain of somebody else's in the forward hook drops, no rule of ours
// brings the packet through, and all that can be done is to say which rule it is. Pure.
#pragma once

#include <optional>
#include <string>

#include "net/address.h"
#include "net/nft.h"

namespace weft::overlay {

/// The first packet of a TCP connection on its way through the node.
struct ForwardedPacket {
  IpAddress source;
  IpAddress destination;
  std::string incoming_link;
  std::string outgoing_link;
};

/// The place that ends a packet's way.
struct Dropped {
  nft::TableId table;
  std::string chain;
  std::string by;  ///< "rule 3", counted as `nft list` prints them, or "its policy"
  bool operator==(const Dropped&) const = default;
};

/// Where the table's base chains in the forward hook drop the packet. Nothing when they let it
/// through, and nothing when that hangs on what cannot be known here (a rate, a match of
/// iptables): only a certain drop is told.
std::optional<Dropped> find_drop(const nft::TableContents& table, const ForwardedPacket& packet);

}  // namespace weft::overlay
