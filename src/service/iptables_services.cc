#include "service/iptables_services.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weft::service {
namespace {

// From so many endpoints on, the comments of their chains are left out: they are almost half of all
// that is written (kube-proxy's large-cluster mode).
constexpr std::size_t kLargeCluster = 1000;

std::size_t endpoints_of(const ServicePlan& plan) {
  std::size_t count = 0;
  for (const PortPlan& port : plan.ports) count += std::max(port.cluster.size(), port.local.size());
  return count;
}

template <class Function>
void for_each_front(const ServicePlan& plan, Function&& function) {
  for (const PortPlan& port : plan.ports)
    for (const Front& front : port.fronts) function(port.key(front));
}

void append(ChainRules& to, ChainRules from) {
  for (auto& [chain, rules] : from) {
    auto& all = to[chain];
    std::move(rules.begin(), rules.end(), std::back_inserter(all));
  }
}

}  // namespace

void IptablesServices::put(const ServiceName& name, UnixSeconds created, ServicePlan plan) {
  if (plan.ports.empty()) return remove(name);
  change(name, Service{.created = created, .plan = std::move(plan)});
}

void IptablesServices::remove(const ServiceName& name) {
  if (services_.contains(name)) change(name, std::nullopt);
}

RulesWanted IptablesServices::wanted(const ServiceName& name, const Service& service) const {
  return {.name = name, .plan = service.plan, .options = options_, .commented = service.commented};
}

void IptablesServices::change(const ServiceName& name, std::optional<Service> service) {
  IptablesContents shared_before;
  IptablesContents shared_after;
  ChainRules before;
  ChainRules after;
  UnixSeconds was_created = service ? service->created : UnixSeconds{};
  if (const auto place = services_.find(name); place != services_.end()) {
    was_created = place->second.created;
    shared_before = shared_rules(wanted(name, place->second));
    before = port_chains(wanted(name, place->second));
    endpoints_ -= endpoints_of(place->second.plan);
    release(*place);
    services_.erase(place);
  }
  const bool other_age = service && service->created != was_created;
  if (service) {
    endpoints_ += endpoints_of(service->plan);
    service->commented = endpoints_ <= kLargeCluster;
    shared_after = shared_rules(wanted(name, *service));
    after = port_chains(wanted(name, *service));
    claim(*services_.emplace(name, *std::move(service)).first);
  }
  // A front that another service loses or gets back is a rule that this one gets or loses.
  pending_.shared = pending_.shared || other_age || shared_before != shared_after;
  note_chains(before, std::move(after));
}

void IptablesServices::note_chains(const ChainRules& before, ChainRules after) {
  for (const auto& [chain, rules] : before)
    if (!after.contains(chain)) {
      pending_.chains.erase(chain);
      pending_.gone.insert(chain);
    }
  for (auto& [chain, rules] : after) {
    const auto was = before.find(chain);
    if (was != before.end() && was->second == rules) continue;
    pending_.gone.erase(chain);
    pending_.chains.insert_or_assign(chain, std::move(rules));
  }
}

void IptablesServices::claim(const Services::value_type& entry) {
  const Claimant who{.created = entry.second.created, .name = &entry.first};
  for_each_front(entry.second.plan, [&](const FrontKey& front) { fronts_.claim(who, front); });
}

void IptablesServices::release(const Services::value_type& entry) {
  const Claimant who{.created = entry.second.created, .name = &entry.first};
  for_each_front(entry.second.plan, [&](const FrontKey& front) { fronts_.release(who, front); });
}

IptablesContents IptablesServices::shared() const {
  IptablesContents all = iptables_frame(options_);
  for (const auto& entry : services_) {
    const ServiceName* self = &entry.first;
    IptablesContents rules = shared_rules(wanted(*self, entry.second), [&](const FrontKey& front) {
      return fronts_.owner(front) == self;
    });
    append(all.filter, std::move(rules.filter));
    append(all.nat, std::move(rules.nat));
  }
  append(all.nat, {{chains::kServices, node_port_entrances(options_)}});
  return all;
}

IptablesUpdate IptablesServices::take_update() {
  Pending pending = std::exchange(pending_, {});
  IptablesUpdate update;
  if (pending.shared) {
    IptablesContents all = shared();
    // The constant ones stand.
    for (const char* chain :
         {chains::kServices, chains::kExternalServices, chains::kNodePorts, chains::kProxyFirewall})
      update["filter"].chains.emplace(chain, std::move(all.filter[chain]));
    for (const char* chain : {chains::kServices, chains::kNodePorts})
      update["nat"].chains.emplace(chain, std::move(all.nat[chain]));
  }
  if (!pending.chains.empty() || !pending.gone.empty()) {
    update["nat"].chains.merge(pending.chains);
    update["nat"].gone = std::move(pending.gone);
  }
  return update;
}

IptablesContents IptablesServices::whole() const {
  IptablesContents all = shared();
  for (const auto& [name, service] : services_) all.nat.merge(port_chains(wanted(name, service)));
  return all;
}

}  // namespace weft::service
