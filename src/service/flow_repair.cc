#include "service/flow_repair.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "service/front_claims.h"

namespace weft::service {
namespace {

// Of more fronts it is cheaper to look at all flows of their protocol once: the kernel goes through
// its whole table for each question.
constexpr std::size_t kOneByOne = 8;

}  // namespace

FlowRepair::FlowRepair()
    : conntrack_(kernel::Conntrack::open()), rtnetlink_(kernel::Rtnetlink::open()) {
  if (!conntrack_)
    spdlog::warn("{}; flows to endpoints that go will end by themselves",
                 conntrack_.error().text());
}

std::optional<std::size_t> FlowRepair::repair(const std::vector<PlannedService>& services) {
  const Suspects suspects = book_.note(services);
  if (suspects.empty() || !conntrack_ || !rtnetlink_) return std::nullopt;
  const auto removed = clean(suspects);
  if (!removed) {
    if (log_limit_.allows("clean"))
      spdlog::warn("stale connections of services: {}", removed.error().text());
    return std::nullopt;
  }
  if (*removed != 0) spdlog::info("connections to former endpoints: {} removed", *removed);
  return *removed;
}

Result<std::size_t> FlowRepair::clean(const Suspects& suspects) {
  return suspects.size() <= kOneByOne ? clean_one_by_one(suspects) : clean_at_once(suspects);
}

// Only ports of the node are asked for by them.
Result<std::set<IpAddress>> FlowRepair::own_addresses(const Suspects& suspects) {
  std::set<IpAddress> own;
  if (std::none_of(suspects.begin(), suspects.end(),
                   [](const FlowFront& suspect) { return suspect.front.address.is_unspecified(); }))
    return own;
  ASSIGN_OR_RETURN(const auto addresses, rtnetlink_->addresses());
  for (const auto& address : addresses) own.insert(address.key.address.address);
  return own;
}

Status FlowRepair::remove(const ConntrackEntry& entry) {
  spdlog::debug("connection {} to {}: removed (leads to {})", entry.original.source.to_string(),
                entry.original.destination.to_string(), entry.reply.source.to_string());
  return conntrack_->remove(entry);
}

Result<std::size_t> FlowRepair::clean_one_by_one(const Suspects& suspects) {
  ASSIGN_OR_RETURN(const auto own, own_addresses(suspects));
  std::size_t removed = 0;
  for (const FlowFront& suspect : suspects) {
    const FrontKey& front = suspect.front;
    kernel::ConntrackFilter filter{.family = front.address.family(),
                                   .protocol = static_cast<std::uint8_t>(front.protocol),
                                   .original_destination_port = front.port};
    if (!front.address.is_unspecified()) filter.original_destination = front.address;
    ASSIGN_OR_RETURN(const auto entries, conntrack_->list(filter));
    for (const auto& entry : entries) {
      if (!is_stale(entry, suspect, own)) continue;
      RETURN_IF_ERROR(remove(entry));
      ++removed;
    }
  }
  return removed;
}

Result<std::size_t> FlowRepair::clean_at_once(const Suspects& suspects) {
  ASSIGN_OR_RETURN(const auto own, own_addresses(suspects));
  std::unordered_map<FrontKey, const FlowFront*, FrontKeyHash> by_front;
  std::set<std::pair<Family, ServiceProtocol>> kinds;
  for (const FlowFront& suspect : suspects) {
    by_front.emplace(suspect.front, &suspect);
    kinds.emplace(suspect.front.address.family(), suspect.front.protocol);
  }
  std::size_t removed = 0;
  for (const auto& [family, protocol] : kinds) {
    ASSIGN_OR_RETURN(const auto entries,
                     conntrack_->list({.family = family,
                                       .protocol = static_cast<std::uint8_t>(protocol),
                                       .original_destination_port = 0}));
    for (const auto& entry : entries)
      for (const IpAddress& at : {entry.original.destination, IpAddress::any(family)}) {
        const auto found = by_front.find({at, protocol, entry.original.destination_port});
        if (found == by_front.end() || !is_stale(entry, *found->second, own)) continue;
        RETURN_IF_ERROR(remove(entry));
        ++removed;
        break;
      }
  }
  return removed;
}

}  // namespace weft::service
