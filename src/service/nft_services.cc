#include "service/nft_services.h"

#include <algorithm>
#include <utility>

#include "service/nft_key.h"
#include "service/slots.h"

namespace weft::service {
namespace {

using namespace nft;
using Edits = std::vector<TableEdit>;

template <class Function>
void for_each_front(const ServicePlan& plan, Function&& function) {
  if (plan.ports.empty()) return;
  function(whole_address(plan.cluster_ip));
  for (const PortPlan& port : plan.ports)
    for (const Front& front : port.fronts) function(port.key(front));
}

std::set<FrontKey> fronts_of(const ServicePlan& plan) {
  std::set<FrontKey> keys;
  for_each_front(plan, [&](const FrontKey& key) { keys.insert(key); });
  return keys;
}

std::set<FrontKey> hairpins_of(const ServicePlan& plan) {
  std::set<FrontKey> keys;
  for (const PortPlan& port : plan.ports)
    for (const auto* endpoints : {&port.cluster, &port.local})
      for (const EndpointRecord& endpoint : *endpoints)
        if (endpoint.has(endpoint_marks::kLocal)) keys.insert(hairpin_key(port, endpoint));
  return keys;
}

const PortPlan* same_port(const ServicePlan& plan, const PortPlan& wanted) {
  for (const PortPlan& port : plan.ports)
    if (port.name == wanted.name && port.protocol == wanted.protocol) return &port;
  return nullptr;
}

FrontKey cluster_front(const PortPlan& port) {
  return port.fronts.empty() ? FrontKey{} : port.key(port.fronts.front());
}

void sort_once(std::vector<Element>& elements) {
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
}

std::vector<Element> minus(const std::vector<Element>& left, const std::vector<Element>& right) {
  std::vector<Element> rest;
  std::set_difference(left.begin(), left.end(), right.begin(), right.end(),
                      std::back_inserter(rest));
  return rest;
}

Element way_element(const Pick& pick, const std::string& chain) {
  return {.key = number_key(pick.number()),
          .data = nft::Verdict{.code = nft::Verdict::Code::kGoto, .chain = chain}};
}

}  // namespace

NftServices::NftServices(RuleOptions options, NftInheritance inheritance)
    : options_(std::move(options)),
      inheritance_(std::move(inheritance)),
      picks_(inheritance_.picks()),
      next_stay_id_(inheritance_.largest_stay_id() + 2) {}

void NftServices::load(const ServiceName& name, UnixSeconds created, ServicePlan plan) {
  if (plan.ports.empty()) return;
  Service service{.created = created, .plan = std::move(plan)};
  settle(nullptr, service);
  store(name, std::move(service));
}

void NftServices::store(const ServiceName& name, Service service) {
  const auto& entry = *services_.insert_or_assign(name, std::move(service)).first;
  claim(entry.first, entry.second);
}

void NftServices::put(const ServiceName& name, UnixSeconds created, ServicePlan plan,
                      Edits& edits) {
  if (plan.ports.empty()) return remove(name, edits);
  change(name, Service{.created = created, .plan = std::move(plan)}, edits);
}

void NftServices::remove(const ServiceName& name, Edits& edits) {
  if (services_.contains(name)) change(name, std::nullopt, edits);
}

void NftServices::change(const ServiceName& name, std::optional<Service> service, Edits& edits) {
  const auto place = services_.find(name);
  const Service* former = place == services_.end() ? nullptr : &place->second;
  if (service) settle(former, *service);
  release_stay_ids(former, service ? &*service : nullptr);
  const auto touched = touched_by(name, former, service ? &*service : nullptr);
  ElementsByMap before;
  ElementsByMap after;
  PicksUsed used;
  for (const auto& each : touched) append_elements(each, before, used);
  if (former != nullptr) release(name, *former);
  if (service)
    store(name, *std::move(service));
  else
    services_.erase(place);
  used = {};
  for (const auto& each : touched) append_elements(each, after, used);

  for (std::size_t i = 0; i < kServiceMaps; ++i) {
    sort_once(before[i]);
    sort_once(after[i]);
    if (auto gone = minus(before[i], after[i]); !gone.empty())
      edits.emplace_back(DropElements{name_of(static_cast<ServiceMap>(i)), std::move(gone)});
  }
  add_picks(used, edits);
  for (std::size_t i = 0; i < kServiceMaps; ++i)
    if (auto missing = minus(after[i], before[i]); !missing.empty())
      edits.emplace_back(PutElements{name_of(static_cast<ServiceMap>(i)), std::move(missing)});
}

void NftServices::settle(const Service* former, Service& service) {
  for (PortPlan& port : service.plan.ports) {
    const PortPlan* was = former == nullptr ? nullptr : same_port(former->plan, port);
    FormerSlots had;
    if (was == nullptr)
      had = inheritance_.take(cluster_front(port));
    else
      had = {.cluster = was->cluster,
             .local = was->local,
             .stay = former->stays[static_cast<std::size_t>(was - former->plan.ports.data())]};
    port.cluster = arrange(had.cluster, std::move(port.cluster));
    port.local = arrange(had.local, std::move(port.local));
    Stay stay;
    if (port.affinity_seconds != 0)
      stay = {.id = had.stay.id != 0 ? had.stay.id : new_stay_id(),
              .cluster = number_places(had.cluster, had.stay.cluster, port.cluster),
              .local = number_places(had.local, had.stay.local, port.local)};
    service.stays.push_back(std::move(stay));
  }
}

std::uint32_t NftServices::new_stay_id() {
  if (free_stay_ids_.empty()) return std::exchange(next_stay_id_, next_stay_id_ + 2);
  const std::uint32_t id = free_stay_ids_.back();
  free_stay_ids_.pop_back();
  return id;
}

void NftServices::release_stay_ids(const Service* former, const Service* service) {
  if (former == nullptr) return;
  for (const Stay& old : former->stays) {
    const auto same = [&](const Stay& stay) { return stay.id == old.id; };
    const bool stays =
        service != nullptr && std::any_of(service->stays.begin(), service->stays.end(), same);
    if (old.id != 0 && !stays) free_stay_ids_.push_back(old.id);
  }
}

// Whoever has what this service will ask for, and whoever waits for what it lets go.
std::set<ServiceName> NftServices::touched_by(const ServiceName& name, const Service* former,
                                              const Service* service) const {
  std::set<ServiceName> touched{name};
  const auto note = [&](const ServiceName* other) {
    if (other != nullptr) touched.insert(*other);
  };
  if (former != nullptr) {
    for (const auto& key : fronts_of(former->plan)) note(fronts_.heir(key));
    for (const auto& key : hairpins_of(former->plan)) note(hairpins_.heir(key));
  }
  if (service != nullptr) {
    for (const auto& key : fronts_of(service->plan)) note(fronts_.owner(key));
    for (const auto& key : hairpins_of(service->plan)) note(hairpins_.owner(key));
  }
  return touched;
}

void NftServices::append_elements(const ServiceName& name, ElementsByMap& elements,
                                  PicksUsed& used) const {
  const auto entry = services_.find(name);
  if (entry == services_.end()) return;
  const ServiceName* self = &entry->first;
  ServiceElements{.plan = entry->second.plan,
                  .stays = entry->second.stays,
                  .owns_front = [&](const FrontKey& key) { return fronts_.owner(key) == self; },
                  .owns_hairpin = [&](const FrontKey& key) { return hairpins_.owner(key) == self; }}
      .append_to(elements, used);
}

void NftServices::claim(const ServiceName& name, const Service& service) {
  const Claimant who{.created = service.created, .name = &name};
  for (const auto& key : fronts_of(service.plan)) fronts_.claim(who, key);
  for (const auto& key : hairpins_of(service.plan)) hairpins_.claim(who, key);
}

void NftServices::release(const ServiceName& name, const Service& service) {
  const auto self = services_.find(name);
  const Claimant who{.created = service.created, .name = &self->first};
  for (const auto& key : fronts_of(service.plan)) fronts_.release(who, key);
  for (const auto& key : hairpins_of(service.plan)) hairpins_.release(who, key);
}

void NftServices::add_picks(const PicksUsed& used, Edits& edits) {
  const auto add = [&](const Pick& pick, const PickChain& made, ServiceMap ways, ServiceMap picks) {
    const std::string& chain = made.chain.name;
    edits.emplace_back(PutChain{made.chain, false});
    for (std::size_t i = 0; i < made.rules.size(); ++i)
      edits.emplace_back(InsertRule{chain, made.rules[i], std::nullopt, i + 1});
    for (const ServiceMap map : {ways, picks})
      edits.emplace_back(PutElements{name_of(map), {way_element(pick, chain)}});
  };
  for (const std::uint32_t number : used.address) {
    const Pick pick = Pick::of_number(number);
    if (picks_.address.insert(number).second)
      add(pick, pick_chain(pick, options_.family), ServiceMap::kWays, ServiceMap::kPicks);
  }
  for (const std::uint32_t number : used.node) {
    const Pick pick = Pick::of_number(number);
    if (picks_.node.insert(number).second)
      add(pick, node_pick_chain(pick, options_.family), ServiceMap::kNodeWays,
          ServiceMap::kNodePicks);
  }
}

std::optional<Edits> NftServices::set_options(RuleOptions options) {
  const TableContents former = service_frame(options_);
  options_ = std::move(options);
  Edits edits = plan_table(service_frame(options_), former);
  const bool elements_only = std::all_of(edits.begin(), edits.end(), [](const TableEdit& edit) {
    return std::holds_alternative<PutElements>(edit) || std::holds_alternative<DropElements>(edit);
  });
  if (!elements_only) return std::nullopt;
  return edits;
}

TableContents NftServices::whole() {
  TableContents table = service_frame(options_);
  ElementsByMap elements;
  PicksUsed used;
  for (const auto& entry : services_) append_elements(entry.first, elements, used);
  picks_.address.merge(used.address);
  picks_.node.merge(used.node);
  const auto add = [&](const Pick& pick, PickChain made, ServiceMap ways, ServiceMap picks) {
    for (const ServiceMap map : {ways, picks})
      table.sets.at(name_of(map)).elements.push_back(way_element(pick, made.chain.name));
    table.add(std::move(made.chain), std::move(made.rules));
  };
  for (const std::uint32_t number : picks_.address)
    add(Pick::of_number(number), pick_chain(Pick::of_number(number), options_.family),
        ServiceMap::kWays, ServiceMap::kPicks);
  for (const std::uint32_t number : picks_.node)
    add(Pick::of_number(number), node_pick_chain(Pick::of_number(number), options_.family),
        ServiceMap::kNodeWays, ServiceMap::kNodePicks);
  for (std::size_t i = 0; i < kServiceMaps; ++i) {
    auto& set = table.sets.at(name_of(static_cast<ServiceMap>(i))).elements;
    // Two ports of a service may have the same endpoint; all else is there once.
    if (static_cast<ServiceMap>(i) == ServiceMap::kHairpins) sort_once(elements[i]);
    std::move(elements[i].begin(), elements[i].end(), std::back_inserter(set));
  }
  return table;
}

std::vector<FrontKey> NftServices::fronts_of_others(const ServiceName& name) const {
  std::vector<FrontKey> lost;
  const auto entry = services_.find(name);
  if (entry == services_.end()) return lost;
  for_each_front(entry->second.plan, [&](const FrontKey& key) {
    if (fronts_.owner(key) != &entry->first) lost.push_back(key);
  });
  return lost;
}

}  // namespace weft::service
