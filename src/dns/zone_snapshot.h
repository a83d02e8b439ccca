// zone_snapshot.h: the names of a cluster as bytes for a disk, so that a server that starts while
// the API is away knows them. Pure.
//
// The bytes say which version of this format they are, where the names came from, and when that
// was; a digest covers all of it. What is taken back goes through the builder as if a store had
// brought it, so that what a store says later replaces it piece by piece, and a whole list takes
// out what it does not name. Bytes may be anything: they cannot make the builder hold more than the
// limits below, nor a name that it would not take from a store.
//
//   8 bytes "weftname" | version 4 | SHA-256 of the rest 32
//   written 4 (Unix time) | origin | namespaces | services
//
// Numbers are in network order, texts stand behind their length in one byte (the origin: two), and
// lists behind their count in four. Of a Service: name, namespace, kind (ServiceRecords::Kind), and
//   kClusterIp      whether it has endpoints 1, addresses, ports
//   kHeadless       slices: ports, and endpoints: address, label
//   kExternalName   the name it leads to, in the form of its wire
// and of a port: name, protocol 1, number 2.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unix_time.h"
#include "dns/cluster_zone.h"
#include "dns/zone_builder.h"

namespace weft::dns {

struct SnapshotLimits {
  std::size_t bytes = 32U << 20U;
  std::size_t services = 200'000;
  std::size_t endpoints = 500'000;  ///< of headless Services, all together
  std::size_t namespaces = 100'000;
};

/// A secondary server whose primary has been away for so long gives the zone up: the SOA's expire.
inline constexpr std::chrono::seconds kSnapshotExpires{86400};

/// Namespaces and services alone: equal for equal names, whenever that is.
std::string encode_names(const ClusterZone& zone);
/// The whole, of what encode_names() gave. `origin` is any text that names who said so: the API or
/// a folder, and what was selected there.
std::string seal_snapshot(std::string_view names, std::string_view origin, UnixSeconds written);

/// Puts the names into the builder, as stale, and returns when they were written. An Error, after
/// which the builder holds anything, where the bytes are cut or changed, of another version or
/// origin, from the future or older than kSnapshotExpires, or beyond the limits.
Result<UnixSeconds> restore_snapshot(std::string_view bytes, std::string_view origin,
                                     UnixSeconds now, ZoneBuilder& builder,
                                     const SnapshotLimits& limits = {});

}  // namespace weft::dns
