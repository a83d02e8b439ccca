#include "service/iptables_mode.h"

#include "base/text.h"
#include "kernel/sysctl.h"

namespace weft::service {
namespace {

// Where this is set, connection tracking calls hardly anything invalid.
bool tcp_is_liberal() {
  const auto value = kernel::read_sysctl("net/netfilter/nf_conntrack_tcp_be_liberal");
  return value && trim(*value) != "0";
}

void put(Family family, IptablesServices& services, const PlannedService& service) {
  const auto plan = service.plans.find(family);
  if (plan == service.plans.end())
    services.remove(service.name);
  else
    services.put(service.name, service.created, plan->second);
}

}  // namespace

Result<IptablesMode> IptablesMode::open(const std::vector<RuleOptions>& families,
                                        const IptablesSettings& settings) {
  std::vector<Family> names;
  for (const RuleOptions& rules : families) names.push_back(rules.family);
  ASSIGN_OR_RETURN(IptablesKeeper keeper,
                   IptablesKeeper::open(iptables_design(), names, settings.flavour));
  IptablesMode mode(std::move(keeper), settings.localhost_node_ports);
  for (const RuleOptions& rules : families)
    mode.services_.emplace(rules.family, IptablesServices(mode.options_for(rules)));
  return mode;
}

IptablesMode::IptablesMode(IptablesKeeper keeper, bool localhost_node_ports)
    : keeper_(std::move(keeper)),
      localhost_node_ports_(localhost_node_ports),
      drop_invalid_(!tcp_is_liberal()) {}

IptablesOptions IptablesMode::options_for(const RuleOptions& rules) const {
  return {.rules = rules,
          .localhost_node_ports = localhost_node_ports_,
          .drop_invalid = drop_invalid_,
          .random_fully = keeper_.programs(rules.family).version().has_random_fully()};
}

Status IptablesMode::start(const std::vector<PlannedService>& planned) {
  if (localhost_node_ports_ && services_.contains(Family::kIpv4))
    RETURN_IF_ERROR(kernel::write_sysctl("net/ipv4/conf/all/route_localnet", "1"));
  for (auto& [family, services] : services_) {
    services = IptablesServices(services.options());
    for (const PlannedService& service : planned) put(family, services, service);
  }
  started_ = true;
  ASSIGN_OR_RETURN(const auto words, settle());
  return {};
}

Status IptablesMode::apply(const std::vector<PlannedService>& changed) {
  std::map<Family, IptablesUpdate> updates;
  for (auto& [family, services] : services_) {
    for (const PlannedService& service : changed) put(family, services, service);
    updates.emplace(family, services.take_update());
  }
  return keeper_.apply(updates);
}

Status IptablesMode::set_options(const std::vector<RuleOptions>& families) {
  for (const RuleOptions& rules : families)
    if (const auto found = services_.find(rules.family); found != services_.end())
      found->second.set_options(options_for(rules));
  // Before the start nothing is known of the services that an earlier proxy has left rules for.
  if (!started_) return {};
  ASSIGN_OR_RETURN(const auto words, settle());
  return {};
}

Result<std::vector<std::string>> IptablesMode::repair() {
  if (keeper_.is_untouched()) return std::vector<std::string>{};
  return settle();
}

Result<std::vector<std::string>> IptablesMode::settle() {
  ASSIGN_OR_RETURN(auto words,
                   keeper_.settle([&](Family family) { return services_.at(family).whole(); }));
  for (auto& [family, services] : services_) services.settled();
  return words;
}

Status IptablesMode::remove() {
  started_ = false;
  for (auto& [family, services] : services_) services = IptablesServices(services.options());
  return keeper_.remove();
}

}  // namespace weft::service
