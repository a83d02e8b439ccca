#include "service/userspace_mode.h"

#include <sys/resource.h>

#include <algorithm>

namespace weft::service {
namespace {

// Every connection takes two descriptors, and every port of a service one.
void raise_descriptor_limit() {
  constexpr rlim_t kWanted = 64'000;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kWanted) return;
  limit.rlim_cur = std::min(kWanted, limit.rlim_max);
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

// The chains that are not as they were.
void add_changed(const ChainRules& before, const ChainRules& after, const std::string& table,
                 IptablesUpdate& update) {
  for (const auto& [chain, rules] : after) {
    const auto was = before.find(chain);
    if (was == before.end() || was->second != rules) update[table].chains.emplace(chain, rules);
  }
}

}  // namespace

Result<UserspaceMode> UserspaceMode::open(const std::vector<RuleOptions>& families,
                                          const UserspaceSettings& settings) {
  std::vector<Family> names;
  for (const RuleOptions& rules : families) names.push_back(rules.family);
  raise_descriptor_limit();
  ASSIGN_OR_RETURN(IptablesKeeper keeper,
                   IptablesKeeper::open(portal_design(), names, settings.flavour));
  ASSIGN_OR_RETURN(auto relay, Relay::start(settings.relay));
  ASSIGN_OR_RETURN(auto rtnetlink, kernel::Rtnetlink::open());
  UserspaceMode mode(std::move(keeper), std::move(relay), std::move(rtnetlink),
                     settings.node_addresses);
  for (const Family family : names) mode.families_[family];
  return mode;
}

Status UserspaceMode::find_node_addresses() {
  std::vector<IpAddress> known = node_addresses_;
  ASSIGN_OR_RETURN(auto of_links, rtnetlink_.addresses());
  std::sort(of_links.begin(), of_links.end());
  for (const LinkAddress& each : of_links)
    if (!each.tentative && !each.temporary) known.push_back(each.key.address.address);
  for (auto& [family, kept] : families_) {
    const auto found =
        std::find_if(known.begin(), known.end(), [of = family](const IpAddress& address) {
          return address.family() == of && !address.is_loopback() && !address.is_link_local();
        });
    kept.node_address = found == known.end() ? std::nullopt : std::optional(*found);
  }
  return {};
}

std::unique_ptr<Portals> UserspaceMode::make_portals(Family family) const {
  return std::make_unique<Portals>(
      *relay_, Portals::Choice{.node_ports_at = IpAddress::any(family), .every_port = true});
}

Status UserspaceMode::start(const std::vector<PlannedService>& services) {
  RETURN_IF_ERROR(find_node_addresses());
  for (auto& [family, kept] : families_) {
    kept.portals = make_portals(family);
    for (const PlannedService& service : services) kept.portals->put(service);
    kept.written = portal_rules(kept.portals->open(), kept.node_address);
  }
  ASSIGN_OR_RETURN(const auto words, settle());
  return {};
}

Status UserspaceMode::apply(const std::vector<PlannedService>& changed) {
  std::map<Family, IptablesUpdate> updates;
  for (auto& [family, kept] : families_) {
    for (const PlannedService& service : changed) kept.portals->put(service);
    IptablesContents wanted = portal_rules(kept.portals->open(), kept.node_address);
    IptablesUpdate& update = updates[family];
    add_changed(kept.written.filter, wanted.filter, "filter", update);
    add_changed(kept.written.nat, wanted.nat, "nat", update);
    kept.written = std::move(wanted);
  }
  return keeper_.apply(updates);
}

Result<std::vector<std::string>> UserspaceMode::repair() {
  if (keeper_.is_untouched()) return std::vector<std::string>{};
  return settle();
}

Result<std::vector<std::string>> UserspaceMode::settle() {
  return keeper_.settle([&](Family family) { return families_.at(family).written; });
}

Status UserspaceMode::remove() {
  for (auto& [family, kept] : families_) {
    kept.portals = make_portals(family);
    kept.written = {};
  }
  return keeper_.remove();
}

}  // namespace weft::service
