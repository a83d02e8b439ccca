#include "overlay/uplink_keeper.h"

#include <utility>

#include "base/log.h"

namespace weft::overlay {
namespace {

// The rest of the options is the command line's and stays.
bool same_hints(const UplinkOptions& one, const UplinkOptions& other) {
  return one.public_addresses == other.public_addresses &&
         one.node_addresses == other.node_addresses;
}

}  // namespace

Result<NodeNetwork> read_node_network(kernel::Rtnetlink& rtnetlink,
                                      const std::vector<Family>& families) {
  NodeNetwork network;
  ASSIGN_OR_RETURN(network.links, rtnetlink.links());
  ASSIGN_OR_RETURN(network.addresses, rtnetlink.addresses());
  for (const Family family : families) {
    ASSIGN_OR_RETURN(network.routes[family], rtnetlink.routes(family));
  }
  return network;
}

Result<Uplink> UplinkKeeper::choice(kernel::Rtnetlink& rtnetlink,
                                    const UplinkOptions& options) const {
  ASSIGN_OR_RETURN(NodeNetwork network, read_node_network(rtnetlink, families_));
  if (options.can_reach)
    // No way there is no failure yet: another choice may come first.
    if (auto route = rtnetlink.route_to(*options.can_reach)) network.reaching = *std::move(route);
  return choose_uplink(options, network, families_);
}

Status UplinkKeeper::choose(kernel::Rtnetlink& rtnetlink) {
  ASSIGN_OR_RETURN(Uplink uplink, choice(rtnetlink, taken_));
  spdlog::info("uplink: {}", describe(uplink));
  uplink_.with([&](Uplink& current) { current = std::move(uplink); });
  return {};
}

bool UplinkKeeper::has_link(const std::string& name) const {
  return uplink_.with([&](const Uplink& uplink) { return uplink.has_link(name); });
}

bool UplinkKeeper::ask_for(const UplinkOptions& options) {
  return options_.with([&](UplinkOptions& asked) {
    const bool news = !same_hints(asked, options);
    if (news) asked = options;
    return news;
  });
}

Result<Uplink> UplinkKeeper::found_again(kernel::Rtnetlink& rtnetlink, const Uplink& chosen) const {
  NodeNetwork network;
  for (const auto& [family, before] : chosen.links) {
    ASSIGN_OR_RETURN(const auto link, rtnetlink.link(before.name));
    if (!link) continue;
    ASSIGN_OR_RETURN(const auto addresses, rtnetlink.addresses(link->index));
    network.links.push_back(*link);
    network.addresses.insert(network.addresses.end(), addresses.begin(), addresses.end());
  }
  return refresh_uplink(chosen, taken_, network);
}

Result<bool> UplinkKeeper::refresh(kernel::Rtnetlink& rtnetlink) {
  const Uplink before = uplink_.copy();
  const UplinkOptions asked = options_.copy();
  std::optional<Uplink> anew;
  if (!same_hints(asked, taken_)) {
    auto chosen = choice(rtnetlink, asked);
    if (chosen)
      anew = *std::move(chosen);
    else
      spdlog::warn("uplink: it stays as it is: {}", chosen.error().text());
    taken_ = asked;
  }
  if (!anew) {
    ASSIGN_OR_RETURN(anew, found_again(rtnetlink, before));
  }
  const bool changed =
      anew->local != before.local || anew->public_addresses != before.public_addresses;
  if (changed) spdlog::warn("uplink: now {}: publishing it", describe(*anew));
  uplink_.with([&](Uplink& current) { current = *std::move(anew); });
  return changed;
}

}  // namespace weft::overlay
