// forwarding.h: the routes, neighbours and forwarding entries of one owner, as one table each.
#pragma once

#include <map>
#include <string>

#include "net/diff.h"
#include "net/neighbour.h"
#include "net/route.h"

namespace weft {

struct ForwardingTables {
  std::map<RouteKey, Route> routes;
  std::map<NeighbourKey, Neighbour> neighbours;
  std::map<FdbKey, FdbEntry> fdb;
  bool operator==(const ForwardingTables&) const = default;
};

struct ForwardingEdits {
  Edits<RouteKey, Route> routes;
  Edits<NeighbourKey, Neighbour> neighbours;
  Edits<FdbKey, FdbEntry> fdb;

  bool empty() const { return routes.empty() && neighbours.empty() && fdb.empty(); }
  bool operator==(const ForwardingEdits&) const = default;
};

inline ForwardingEdits diff(const ForwardingTables& desired, const ForwardingTables& actual) {
  return {.routes = diff(desired.routes, actual.routes),
          .neighbours = diff(desired.neighbours, actual.neighbours),
          .fdb = diff(desired.fdb, actual.fdb)};
}

/// The object as `ip` and `bridge` would name it, for log lines: "route 10.244.2.0/24".
inline std::string describe(const RouteKey& key) {
  return "route " + key.destination.to_string();
}
inline std::string describe(const NeighbourKey& key) {
  return "neighbour " + key.address.to_string();
}
inline std::string describe(const FdbKey& key) {
  return "forwarding entry " + key.mac.to_string();
}

}  // namespace weft
