#include "service/service_board.h"

#include <algorithm>
#include <utility>

#include "base/unix_time.h"

namespace weft::service {
namespace {

// Nobody is told of more: a list of a large cluster would be a megabyte of times.
constexpr std::size_t kMostTriggers = 10'000;

std::string slice_key(std::string_view ns, std::string_view name) {
  return std::string(ns) + "/" + std::string(name);
}

}  // namespace

void ServiceBoard::mark(Records::value_type& named) {
  if (std::exchange(named.second.changed, true)) return;
  changed_.push_back(named.first);
}

void ServiceBoard::set_service(Records::value_type& named, std::optional<ServiceDigest> service) {
  Record& record = named.second;
  if (record.service == service) return;
  service_count_ += service ? 1 : 0;
  service_count_ -= record.service ? 1 : 0;
  record.service = std::move(service);
  ++news_.services;
  mark(named);
}

void ServiceBoard::note_slice(Records::value_type& named, const EndpointSlice* slice) {
  ++news_.slices;
  mark(named);
  if (slice == nullptr || news_.triggers.size() >= kMostTriggers) return;
  const auto trigger = parse_precise_time(slice->trigger_time);
  if (trigger && *trigger > since_) news_.triggers.push_back(*trigger);
}

void ServiceBoard::put(const Service& service) {
  auto& named = *records_.try_emplace(service.name).first;
  named.second.epoch = services_.epoch;
  set_service(named, digest(service));
}

void ServiceBoard::remove_service(const ServiceName& name) {
  const auto found = records_.find(name);
  if (found != records_.end()) set_service(*found, std::nullopt);
}

void ServiceBoard::put(const EndpointSlice& slice) {
  const std::string key = slice_key(slice.ns, slice.name);
  auto kept = digest(slice, node_);
  const auto owner = slice_owners_.find(key);
  const bool moved =
      owner != slice_owners_.end() && (!kept || owner->second->first != slice.service_name());
  if (moved) drop_slice(key, slice.name);
  if (!kept) return;
  auto& named = *records_.try_emplace(slice.service_name()).first;
  auto& slices = named.second.slices;
  const auto found = std::find_if(slices.begin(), slices.end(), [&](const NamedSlice& other) {
    return other.name == slice.name;
  });
  if (found == slices.end()) {
    slices.push_back({slice.name, *std::move(kept), slices_.epoch});
    slice_owners_.insert_or_assign(key, &named);
    note_slice(named, &slice);
    return;
  }
  found->epoch = slices_.epoch;
  if (found->digest == *kept) return;
  found->digest = *std::move(kept);
  note_slice(named, &slice);
}

void ServiceBoard::drop_slice(const std::string& key, const std::string& name) {
  const auto owner = slice_owners_.find(key);
  if (owner == slice_owners_.end()) return;
  std::erase_if(owner->second->second.slices,
                [&](const NamedSlice& slice) { return slice.name == name; });
  note_slice(*owner->second);
  slice_owners_.erase(owner);
}

void ServiceBoard::remove_slice(std::string_view ns, std::string_view name) {
  drop_slice(slice_key(ns, name), std::string(name));
}

void ServiceBoard::keep_service(const ServiceName& name) {
  const auto found = records_.find(name);
  if (found != records_.end()) found->second.epoch = services_.epoch;
}

void ServiceBoard::keep_slice(std::string_view ns, std::string_view name) {
  const auto owner = slice_owners_.find(slice_key(ns, name));
  if (owner == slice_owners_.end()) return;
  for (NamedSlice& slice : owner->second->second.slices)
    if (slice.name == name) slice.epoch = slices_.epoch;
}

void ServiceBoard::end_services() {
  services_.complete = true;
  for (auto& named : records_)
    if (named.second.epoch != services_.epoch) set_service(named, std::nullopt);
}

void ServiceBoard::end_slices() {
  slices_.complete = true;
  for (auto& named : records_) {
    const auto erased = std::erase_if(named.second.slices, [&](const NamedSlice& slice) {
      if (slice.epoch == slices_.epoch) return false;
      slice_owners_.erase(slice_key(named.first.ns, slice.name));
      return true;
    });
    if (erased != 0) note_slice(named);
  }
}

std::optional<ServiceBoard::Entry> ServiceBoard::find(const ServiceName& name) const {
  const auto found = records_.find(name);
  if (found == records_.end() || !found->second.service) return std::nullopt;
  const Record& record = found->second;
  Entry entry{.service = &*record.service,
              .in_kernel = record.in_kernel,
              .waiting = record.changed || record.unwritten};
  for (const NamedSlice& slice : record.slices) entry.slices.push_back(&slice.digest);
  return entry;
}

std::vector<ServiceName> ServiceBoard::names() const {
  std::vector<ServiceName> all;
  for (const auto& [name, record] : records_)
    if (record.service) all.push_back(name);
  return all;
}

std::vector<ServiceName> ServiceBoard::names_after(const std::optional<ServiceName>& after,
                                                   std::size_t most) const {
  std::vector<ServiceName> some;
  for (auto at = after ? records_.upper_bound(*after) : records_.begin();
       at != records_.end() && some.size() < most; ++at)
    if (at->second.service) some.push_back(at->first);
  return some;
}

std::vector<ServiceName> ServiceBoard::take_changed() {
  for (const ServiceName& name : changed_) {
    const auto found = records_.find(name);
    found->second.changed = false;
    if (!found->second.service && found->second.slices.empty())
      records_.erase(found);
    else if (!std::exchange(found->second.unwritten, true))
      unwritten_.push_back(name);
  }
  return std::exchange(changed_, {});
}

void ServiceBoard::note_written(UnixSeconds now) {
  for (const ServiceName& name : std::exchange(unwritten_, {})) {
    const auto found = records_.find(name);
    if (found == records_.end()) continue;
    found->second.unwritten = false;
    found->second.in_kernel = now;
  }
}

}  // namespace weft::service
