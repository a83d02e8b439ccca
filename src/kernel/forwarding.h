// forwarding.h: edits of routes, neighbours and forwarding entries, carried out.
#pragma once

#include <string>
#include <vector>

#include "kernel/rtnetlink.h"
#include "net/forwarding.h"

namespace weft::kernel {

/// One edit and how it went.
struct EditOutcome {
  enum class Action { kPut, kReplaced, kRemoved };
  std::string object;  ///< "route 10.244.2.0/24"
  Action action = Action::kPut;
  Status status = {};
};

/// Carries out all edits, each whatever became of the others: a route that cannot be set must
/// not keep 5,000 others from it. First what leads to a peer (forwarding entries, neighbours),
/// then the routes, so that no packet finds a route into nothing; removals the other way round.
/// An entry that is gone already counts as removed. `actual` is what the edits were made from.
std::vector<EditOutcome> apply(Rtnetlink& rtnetlink, const ForwardingEdits& edits,
                               const ForwardingTables& actual);

}  // namespace weft::kernel
