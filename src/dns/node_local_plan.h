// node_local_plan.h: what the kernel must hold so that pods reach the DNS server of their own node
// at an address that is the same on all nodes. Pure.
//
// The addresses are on the loopback device, of host scope: such a one is never chosen as the source
// of the node's own packets, and needs no kernel module. Packets to them and from them are not
// tracked (raw priority): no entry of a table that may be full, no race of two packets of one
// socket, and no service proxy translates them, since only what is tracked is translated. So one of
// the addresses may be that of the cluster's DNS Service.
//
// The table's sets hold the addresses, and by that tell whose they are: what a set names is ours on
// the device, too, and goes with it.
//
//   table inet weft-dns {
//     set local-ipv4 { type ipv4_addr; elements = { 10.96.0.10, 169.254.20.10 } }
//     chain prerouting { type filter hook prerouting priority raw;
//       ip daddr @local-ipv4 udp dport 53 notrack ... }
//     chain output { type filter hook output priority raw;
//       ip daddr @local-ipv4 udp dport 53 notrack  ip saddr @local-ipv4 udp sport 53 notrack ... }
//   }
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "net/address.h"
#include "net/link_address.h"
#include "net/nft.h"

namespace weft::dns {

/// What is wanted.
struct NodeLocalAim {
  std::vector<IpAddress> addresses = {};
  std::uint16_t port = 53;
  /// Whether packets shall pass by the tracking, and with it by a service proxy: as soon as
  /// somebody listens. Rules that are there already stay.
  bool captures = false;
};

/// What is there.
struct NodeLocalFacts {
  LinkIndex loopback = LinkIndex::kNone;
  std::set<InterfaceAddress> present = {};  ///< on it
  std::optional<nft::TableContents> table = {};
};

struct NodeLocalPlan {
  nft::TableContents table = {};
  std::vector<LinkAddress> add = {};
  std::vector<LinkAddressKey> remove = {};
};

/// inet weft-dns
nft::TableId node_local_table();

/// To be carried out in the order remove, table, add: no address is there that no set names.
NodeLocalPlan plan_node_local(const NodeLocalAim& aim, const NodeLocalFacts& facts);

}  // namespace weft::dns
