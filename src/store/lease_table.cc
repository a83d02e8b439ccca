#include "store/lease_table.h"

#include <utility>

namespace weft {

Result<LeaseKey> parse_lease_name(const std::string& name) {
  const auto key = LeaseKey::parse(name);
  if (!key) return fail("its name is no subnet such as 10.5.52.0-24");
  if (key->to_string() != name) return fail("its name is not spelt " + key->to_string());
  return *key;
}

LeaseView make_view(const LeaseEntries& entries) {
  LeaseView view;
  for (const auto& [name, entry] : entries) {
    if (const auto* lease = std::get_if<Lease>(&entry))
      view.leases.emplace(lease->key, *lease);
    else
      view.broken.push_back(std::get<BrokenLease>(entry));
  }
  return view;
}

void LeaseTable::assign(LeaseEntries entries) {
  state_.with([&](State& state) {
    state.complete = true;
    state.entries = std::move(entries);
    state.view.reset();
  });
}

void LeaseTable::edit(const std::function<void(LeaseEntries&)>& change) {
  state_.with([&](State& state) {
    change(state.entries);
    state.view.reset();
  });
}

void LeaseTable::read(const std::function<void(const LeaseEntries&)>& use) const {
  state_.with([&](const State& state) { use(state.entries); });
}

std::shared_ptr<const LeaseView> LeaseTable::view() const {
  return state_.with([](State& state) {
    if (state.complete && state.view == nullptr)
      state.view = std::make_shared<const LeaseView>(make_view(state.entries));
    return state.view;
  });
}

}  // namespace weft
