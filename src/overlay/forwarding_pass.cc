#include "overlay/forwarding_pass.h"

#include <string>
#include <string_view>
#include <utility>

#include "kernel/forwarding.h"
#include "overlay/route_ownership.h"

namespace weft::overlay {
namespace {

std::string_view kind_of(const std::string& object) {
  if (object.rfind("route", 0) == 0) return "routes";
  if (object.rfind("neighbour", 0) == 0) return "neighbours";
  return "forwarding entries";
}

void tell(const std::vector<kernel::EditOutcome>& outcomes, PassReport& report) {
  using Action = kernel::EditOutcome::Action;
  for (const auto& outcome : outcomes) {
    if (!outcome.status) {
      report.failure(outcome.object + ": " + outcome.status.error().text());
      continue;
    }
    const bool put = outcome.action == Action::kPut;
    const bool replaced = outcome.action == Action::kReplaced;
    report.edit(kind_of(outcome.object), outcome.object,
                put        ? "missing"
                : replaced ? "different"
                           : "stale",
                put        ? "put"
                : replaced ? "replaced"
                           : "removed");
  }
}

Result<ForwardingTables> read_tables(Family family, LinkIndex device,
                                     kernel::Rtnetlink& rtnetlink) {
  ForwardingTables tables;
  if (device == LinkIndex::kNone) return tables;
  ASSIGN_OR_RETURN(const auto neighbours, rtnetlink.neighbours(family, device));
  for (const auto& neighbour : neighbours)
    // What the kernel resolved or failed to resolve by itself is not ours, and a put replaces it.
    if (neighbour.state == NeighbourState::kPermanent) tables.neighbours[neighbour.key] = neighbour;
  ASSIGN_OR_RETURN(const auto entries, rtnetlink.fdb(device));
  for (const auto& entry : entries)
    if (entry.permanent) tables.fdb[entry.key] = entry;
  return tables;
}

}  // namespace

void apply(const ForwardingTables& desired, const ForwardingTables& actual,
           kernel::Rtnetlink& rtnetlink, PassReport& report) {
  tell(kernel::apply(rtnetlink, diff(desired, actual), actual), report);
}

Status settle_forwarding(const ForwardingPlace& place, const ForwardingPlan& plan,
                         kernel::Rtnetlink& rtnetlink, PassReport& report) {
  const Family family = place.network.network.family();
  ASSIGN_OR_RETURN(const auto routes, rtnetlink.routes(family));
  const RouteOwnership owned = sort_routes(routes, place.network, place.device, place.uplink);
  ForwardingTables desired = plan(owned.foreign);
  for (auto& line : yield_to_foreign(desired.routes, owned.foreign))
    report.refusal(std::move(line));
  ASSIGN_OR_RETURN(ForwardingTables actual, read_tables(family, place.device, rtnetlink));
  actual.routes = owned.ours;
  apply(desired, actual, rtnetlink, report);
  return {};
}

}  // namespace weft::overlay
