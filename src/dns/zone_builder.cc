#include "dns/zone_builder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/json.h"

namespace weft::dns {
namespace {

using Kind = ServiceRecords::Kind;

// Faults that nobody asks for must not pile up.
constexpr std::size_t kMostFaults = 100;

Kind kind_of(const Service& service) {
  if (service.type == ServiceType::kExternalName) return Kind::kExternalName;
  return service.headless ? Kind::kHeadless : Kind::kClusterIp;
}

// An address is no name: no CNAME can lead to it.
std::string alias_target(const std::string& external_name) {
  if (IpAddress::parse(external_name)) return {};
  const auto name = Name::parse(external_name);
  return name && !name->is_root() ? std::string(name->wire()) : std::string();
}

std::size_t longest_zone(const ZoneOptions& options) {
  std::size_t longest = 0;
  for (const ServedZone& zone : options.zones)
    if (!zone.is_reverse) longest = std::max(longest, zone.name.wire().size());
  return longest;
}

bool same_but_for_endpoints(const ServiceRecords& one, const ServiceRecords& other) {
  return one.kind == other.kind && one.a == other.a && one.aaaa == other.aaaa &&
         one.ports == other.ports && one.external_name == other.external_name;
}

// The index of the set among those of a Service, to which it is added where it is new.
std::uint16_t note_ports(const PortSet& set, std::vector<HeadlessEndpoints::Ports>& ports) {
  auto same = std::find_if(ports.begin(), ports.end(),
                           [&](const HeadlessEndpoints::Ports& each) { return each.set == set; });
  if (same == ports.end()) same = ports.insert(same, HeadlessEndpoints::Ports{.set = set});
  return static_cast<std::uint16_t>(same - ports.begin());
}

// All its addresses in order, without repetition.
std::vector<IpAddress> addresses_of(const ServiceRecords& service) {
  std::vector<IpAddress> addresses;
  const auto add = [&](std::string_view bytes) {
    addresses.push_back(*IpAddress::from_bytes(bytes));
  };
  for (const std::string* record : {&service.a, &service.aaaa})
    if (!record->empty()) add(std::string_view(*record).substr(kAddressRecordFront));
  if (service.endpoints == nullptr) return addresses;
  for (const EndpointTable* table : {&service.endpoints->v4, &service.endpoints->v6})
    for (std::size_t i = 0; i < table->size(); ++i) add(table->address(i));
  return addresses;
}

// Those that are in the first list alone. REQUIRES both in order.
std::vector<IpAddress> difference(const std::vector<IpAddress>& from,
                                  const std::vector<IpAddress>& without) {
  std::vector<IpAddress> left;
  std::set_difference(from.begin(), from.end(), without.begin(), without.end(),
                      std::back_inserter(left));
  return left;
}

}  // namespace

ZoneBuilder::ZoneBuilder(ZoneOptions options) {
  next_.options = std::make_shared<const ZoneOptions>(std::move(options));
}

const ServiceRecords* ZoneBuilder::find(const std::string& key) const {
  const auto* entry = next_.services.find(key);
  return entry == nullptr ? nullptr : entry->get();
}

void ZoneBuilder::report(std::string fault) {
  if (faults_.size() < kMostFaults) faults_.push_back(std::move(fault));
}

ServiceRecords ZoneBuilder::records_of(const Service& service) const {
  ServiceRecords records{.kind = kind_of(service)};
  if (records.kind == Kind::kExternalName)
    records.external_name = alias_target(service.external_name);
  if (records.kind != Kind::kClusterIp) return records;
  for (const IpAddress& address : service.cluster_ips) {
    std::string& record = address.is_v4() ? records.a : records.aaaa;
    record = address_record(address, next_.options->ttl);
  }
  for (const auto& port : service.ports) records.ports.add(port.name, port.protocol, port.port);
  return records;
}

bool ZoneBuilder::may_have_names(const std::string& ns) const {
  const auto& allowed = next_.options->namespaces;
  return allowed.empty() || allowed.contains(ns);
}

bool ZoneBuilder::put(const Service& service) {
  if (!may_have_names(service.name.ns)) return false;
  const auto key = service_key(service.name);
  constexpr std::size_t kSvcLabel = 4;
  if (!key || key->size() + kSvcLabel + longest_zone(*next_.options) > kLongestName) {
    report("service " + shown(service.name.to_string()) + " has no name: it is no DNS label");
    return false;
  }
  ServiceRecords records = records_of(service);
  const ServiceRecords* before = find(*key);
  if (before != nullptr && same_but_for_endpoints(*before, records)) return false;
  records.key = before != nullptr ? before->key : std::make_shared<const ServiceKeys>(1, *key);
  if (before == nullptr) count_service(service.name.ns, 1);
  drop_unwanted_slices(*key, records);
  const bool has_slices = records.kind == Kind::kHeadless || counts_endpoints();
  replace(before, std::move(records));
  if (has_slices) stale_.insert(*key);
  return true;
}

// What was kept as long as nobody knew what Service it is of.
void ZoneBuilder::drop_unwanted_slices(const std::string& key, const ServiceRecords& service) {
  const auto found = slices_.find(key);
  if (found == slices_.end()) return;
  std::erase_if(found->second, [&](const auto& entry) {
    const bool is_unwanted = !is_wanted(entry.second, &service);
    if (is_unwanted) key_of_.erase(entry.first);
    return is_unwanted;
  });
  if (found->second.empty()) slices_.erase(found);
}

bool ZoneBuilder::remove(const ServiceName& name) {
  const auto key = service_key(name);
  const ServiceRecords* before = key ? find(*key) : nullptr;
  if (before == nullptr) return false;
  index(before, nullptr);
  next_.services.remove(*key);
  count_service(name.ns, -1);
  changed_ = true;
  return true;
}

ZoneBuilder::Slice ZoneBuilder::kept_of(const EndpointSlice& slice) const {
  Slice kept{.labelled = slice.headless_label};
  for (const auto& port : slice.ports) kept.ports.add(port.name, port.protocol, port.port);
  for (const auto& endpoint : slice.endpoints) {
    if (!endpoint.ready) continue;
    const std::string_view pod =
        next_.options->endpoint_pod_names ? endpoint.pod : std::string_view();
    for (const IpAddress& address : endpoint.addresses)
      kept.endpoints.add(address, endpoint_label(address, endpoint.hostname, pod));
  }
  return kept;
}

bool ZoneBuilder::is_wanted(const Slice& slice, const ServiceRecords* service) const {
  if (next_.options->ignore_empty_service) return true;
  if (!next_.options->endpoints) return false;
  return slice.labelled || service == nullptr || service->kind == Kind::kHeadless;
}

bool ZoneBuilder::put(const EndpointSlice& slice) {
  const auto key = service_key(slice.service_name());
  const std::string id = slice.ns + "/" + slice.name;
  const auto known = key_of_.find(id);
  const bool moved = known != key_of_.end() && (!key || known->second != *key);
  const bool left = moved && remove_slice(slice.ns, slice.name);
  if (!key || !may_have_names(slice.ns)) return left;
  Slice kept = kept_of(slice);
  const ServiceRecords* service = find(*key);
  if (!is_wanted(kept, service)) return remove_slice(slice.ns, slice.name) || left;
  const auto [entry, is_new] = slices_[*key].try_emplace(id);
  if (!is_new && entry->second == kept) return left;
  entry->second = std::move(kept);
  key_of_[id] = *key;
  if (service == nullptr) return left;
  stale_.insert(*key);
  return true;
}

bool ZoneBuilder::remove_slice(const std::string& ns, const std::string& name) {
  const auto known = key_of_.find(ns + "/" + name);
  if (known == key_of_.end()) return false;
  const std::string key = known->second;
  const auto slices = slices_.find(key);
  slices->second.erase(known->first);
  if (slices->second.empty()) slices_.erase(slices);
  key_of_.erase(known);
  if (find(key) == nullptr) return false;
  stale_.insert(key);
  return true;
}

bool ZoneBuilder::put_namespace(const std::string& name) {
  const bool is_new = watched_namespaces_.insert(lower(name)).second;
  namespaces_changed_ = namespaces_changed_ || is_new;
  return is_new;
}

bool ZoneBuilder::remove_namespace(const std::string& name) {
  const bool was_there = watched_namespaces_.erase(lower(name)) != 0;
  namespaces_changed_ = namespaces_changed_ || was_there;
  return was_there;
}

// A namespace with a Service is there, whether or not anybody may list namespaces.
void ZoneBuilder::count_service(const std::string& ns, int change) {
  auto& count = services_in_[lower(ns)];
  count = static_cast<unsigned>(static_cast<int>(count) + change);
  if (count == 0) services_in_.erase(lower(ns));
  namespaces_changed_ = true;
}

std::shared_ptr<const HeadlessEndpoints> ZoneBuilder::merge(const std::string& key) const {
  const auto slices = slices_.find(key);
  if (slices == slices_.end()) return nullptr;
  auto merged = std::make_shared<HeadlessEndpoints>();
  std::vector<TableEntry> v4;
  std::vector<TableEntry> v6;
  for (const auto& [id, slice] : slices->second) {
    const std::uint16_t port_set = note_ports(slice.ports, merged->ports);
    slice.endpoints.for_each([&](const IpAddress& address, std::string_view label) {
      auto& entries = address.is_v4() ? v4 : v6;
      entries.push_back({.address = address, .label = label, .port_set = port_set});
    });
  }
  merged->v4 = EndpointTable(std::move(v4), next_.options->ttl);
  merged->v6 = EndpointTable(std::move(v6), next_.options->ttl);
  for (const EndpointTable* table : {&merged->v4, &merged->v6})
    for (std::size_t i = 0; i < table->size(); ++i) ++merged->ports[table->port_set(i)].endpoints;
  return merged;
}

void ZoneBuilder::render(const std::string& key) {
  const ServiceRecords* before = find(key);
  if (before == nullptr) return;
  ServiceRecords after = *before;
  if (before->kind == Kind::kHeadless) {
    after.endpoints = next_.options->endpoints ? merge(key) : nullptr;
  } else if (next_.options->ignore_empty_service) {
    const auto endpoints = merge(key);
    after.has_endpoints = endpoints != nullptr && !endpoints->empty();
  } else {
    return;
  }
  replace(before, std::move(after));
}

void ZoneBuilder::replace(const ServiceRecords* before, ServiceRecords after) {
  index(before, &after);
  next_.services.put(std::make_shared<const ServiceRecords>(std::move(after)));
  changed_ = true;
}

void ZoneBuilder::index(const ServiceRecords* before, const ServiceRecords* after) {
  const auto old_addresses = before == nullptr ? std::vector<IpAddress>() : addresses_of(*before);
  const auto new_addresses = after == nullptr ? std::vector<IpAddress>() : addresses_of(*after);
  if (before != nullptr)
    for (const IpAddress& address : difference(old_addresses, new_addresses))
      disown(address, before->key->front());
  if (after != nullptr)
    for (const IpAddress& address : difference(new_addresses, old_addresses))
      own(address, after->key);
}

void ZoneBuilder::own(const IpAddress& address, const std::shared_ptr<const ServiceKeys>& key) {
  const ReverseEntry* entry = next_.reverse.find(address);
  if (entry == nullptr) return next_.reverse.put({.address = address, .owners = key});
  auto owners = std::make_shared<ServiceKeys>(*entry->owners);
  owners->push_back(key->front());
  std::sort(owners->begin(), owners->end());
  next_.reverse.put({.address = address, .owners = std::move(owners)});
}

void ZoneBuilder::disown(const IpAddress& address, const std::string& key) {
  const ReverseEntry* entry = next_.reverse.find(address);
  auto owners = std::make_shared<ServiceKeys>(*entry->owners);
  std::erase(*owners, key);
  if (owners->empty())
    next_.reverse.remove(address);
  else
    next_.reverse.put({.address = address, .owners = std::move(owners)});
}

bool ZoneBuilder::keep_services(const Names& named) {
  std::vector<ServiceName> gone;
  next_.services.for_each([&](const std::shared_ptr<const ServiceRecords>& service) {
    const ServiceName name = name_of_key(service->name_and_namespace());
    if (!named.contains(name.to_string())) gone.push_back(name);
  });
  for (const ServiceName& name : gone) remove(name);
  return !gone.empty();
}

bool ZoneBuilder::keep_slices(const Names& named) {
  std::vector<std::string> gone;
  for (const auto& [id, key] : key_of_)
    if (!named.contains(id)) gone.push_back(id);
  for (const std::string& id : gone) {
    const std::size_t slash = id.find('/');
    remove_slice(id.substr(0, slash), id.substr(slash + 1));
  }
  return !gone.empty();
}

bool ZoneBuilder::keep_namespaces(const Names& named) {
  const std::size_t removed =
      std::erase_if(watched_namespaces_, [&](const auto& name) { return !named.contains(name); });
  namespaces_changed_ = namespaces_changed_ || removed != 0;
  return removed != 0;
}

void ZoneBuilder::set_complete() {
  changed_ = changed_ || !next_.complete;
  next_.complete = true;
}

void ZoneBuilder::set_stale(bool stale) {
  changed_ = changed_ || next_.stale != stale;
  next_.stale = stale;
}

std::shared_ptr<const ClusterZone> ZoneBuilder::zone(std::uint32_t now) {
  for (const std::string& key : std::exchange(stale_, {})) render(key);
  if (std::exchange(namespaces_changed_, false)) {
    auto namespaces =
        std::make_shared<Namespaces>(watched_namespaces_.begin(), watched_namespaces_.end());
    if (!next_.options->listed_namespaces_only)
      for (const auto& [ns, count] : services_in_) namespaces->insert(ns);
    if (*namespaces != *next_.namespaces) {
      next_.namespaces = std::move(namespaces);
      changed_ = true;
    }
  }
  if (!changed_ && published_ != nullptr) return published_;
  changed_ = false;
  next_.serial = now;
  published_ = std::make_shared<const ClusterZone>(next_);
  return published_;
}

std::vector<std::string> ZoneBuilder::take_faults() {
  return std::exchange(faults_, {});
}

}  // namespace weft::dns
