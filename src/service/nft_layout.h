// nft_layout.h: the nftables table of the service proxy: constant rules, growth in maps only. Pure.
//
// Theory of operation. The first packet of a connection meets one chain, `services`. There
//
//   ip daddr . meta l4proto . th dport map @services   (a number), and that number   vmap @ways
//
// finds the number of what is to be done (pick.h) and the chain of that number. For a cluster
// address that is mostly `pick-N`, which needs one more lookup:
//
//   dnat to ip daddr . meta l4proto . th dport . numgen random mod N map @endpoints-S
//
// Endpoints are in sixteen maps, by the last hexadecimal digit of the address (`pick-N-S`): the
// kernel lists a set in pieces, and for each of them walks it from its start, which takes seconds
// where 250,000 elements are in one. A restart reads all of them.
//
// What comes from outside goes through `external` or `external-local` first, which masquerade and
// look the number of the pick up in @cluster-picks or @local-picks. Ports of the node have maps of
// the same kind without the address, and chains beside them whose names begin with "node-".
//
// An affinity (`stay-SECONDS-N`) remembers, by client and id of the service port, the number of an
// endpoint, and believes that only while @stay-endpoints has it: an endpoint that goes takes no
// other's clients with it, and nothing has to be cleaned up behind it.
//
// A service that comes, goes or changes, and an endpoint, are elements of these maps and nothing
// else. None of those elements holds a verdict (see pick.h).
//
// Source: nft(8); the layout of elements in registers is that of nftables' linearizer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/nft.h"
#include "service/pick.h"
#include "service/rule_options.h"

namespace weft::service {

/// ip or ip6 "weft-services".
nft::TableId service_table(Family family);

/// The sets and maps that grow.
enum class ServiceMap : std::uint8_t {
  kServices,      ///< address . protocol . port : number of a Pick or a Way
  kClusterPicks,  ///< the same : Pick, for what comes by an external address
  kLocalPicks,
  kNodePorts,  ///< protocol . port : Pick or Way
  kNodeClusterPicks,
  kNodeLocalPicks,
  /// address . protocol . port . slot : address . port, of the first shard; see shard_of().
  kEndpoints,
  /// protocol . port . slot : address . port, of the first shard
  kNodeEndpoints = kEndpoints + Pick::kShards,
  /// address . protocol . port : id of a service port with affinity
  kStayIds = kNodeEndpoints + Pick::kShards,
  kNodeStayIds,     ///< protocol . port : id
  kStaySlots,       ///< id . slot : number of an endpoint
  kStayEndpoints,   ///< id . number : address . port
  kAllowedSources,  ///< address . protocol . port . range of sources
  kClusterIps,      ///< address
  kHairpins,        ///< address . address . protocol . port of endpoints on this node
  kWays,            ///< number : chain, of Picks and Ways
  kNodeWays,
  /// number : chain, of Picks only: from an external front, no way leads to another one. The kernel
  /// would take that for a loop.
  kPicks,
  kNodePicks,
};
inline constexpr std::size_t kServiceMaps = static_cast<std::size_t>(ServiceMap::kNodePicks) + 1;
/// "services", "cluster-picks", ...
const char* name_of(ServiceMap map);
/// That of kEndpoints or kNodeEndpoints.
constexpr ServiceMap shard_of(ServiceMap first, std::uint32_t shard) {
  return static_cast<ServiceMap>(static_cast<std::uint32_t>(first) + shard);
}

/// The clients of services with affinity, kept by the packet path: address . id : number
inline constexpr const char* kAffinitySet = "affinity";
/// RuleOptions::node_port_addresses.
inline constexpr const char* kNodeAddressSet = "node-addresses";

/// All of them, empty but for kNodeAddressSet.
std::vector<nft::Set> service_sets(const RuleOptions& options);

/// The table with all that does not grow: maps without elements but those of the constant ways.
nft::TableContents service_frame(const RuleOptions& options);

/// The two chains of a pick (addresses, ports of the node), each with its one or few rules.
struct PickChain {
  nft::Chain chain = {};
  std::vector<nft::Rule> rules = {};
};
PickChain pick_chain(const Pick& pick, Family family);
PickChain node_pick_chain(const Pick& pick, Family family);
/// The name of the second.
std::string node_chain(const std::string& chain);

}  // namespace weft::service
