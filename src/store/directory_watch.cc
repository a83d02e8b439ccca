#include "store/directory_watch.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace weft {

using std::chrono::milliseconds;

DirectoryWatch::DirectoryWatch(std::string folder, WallClock now, LeaseStore::Changed changed)
    : folder_(std::move(folder)),
      now_(std::move(now)),
      changed_(std::move(changed)),
      follower_(folder_, "the leases", *this) {}

Status DirectoryWatch::read_everything() {
  ASSIGN_OR_RETURN(LeaseEntries entries, read_lease_folder(folder_));
  std::erase_if(entries,
                [now = now_()](const auto& named) { return has_expired(named.second, now); });
  table_.assign(std::move(entries));
  table_.health().set({});
  if (changed_) changed_();
  return {};
}

Status DirectoryWatch::apply(const FolderEvents::Batch& batch) {
  std::set<std::string> names = batch.put;
  names.insert(batch.gone.begin(), batch.gone.end());
  std::map<std::string, std::optional<LeaseEntry>> read;
  const auto now = now_();
  for (const auto& name : names) {
    ASSIGN_OR_RETURN(auto entry, read_lease_entry(folder_, name));
    if (entry && has_expired(*entry, now)) entry.reset();
    read.emplace(name, std::move(entry));
  }
  table_.edit([&](LeaseEntries& entries) {
    for (auto& [name, entry] : read) {
      if (entry)
        entries.insert_or_assign(name, *std::move(entry));
      else
        entries.erase(name);
    }
  });
  if (changed_) changed_();
  return {};
}

void DirectoryWatch::on_time() {
  table_.edit([now = now_()](LeaseEntries& entries) {
    std::erase_if(entries, [&](const auto& named) { return has_expired(named.second, now); });
  });
  if (changed_) changed_();
}

std::optional<milliseconds> DirectoryWatch::until_next() {
  std::optional<UnixSeconds> first;
  table_.read([&](const LeaseEntries& entries) {
    for (const auto& [name, entry] : entries) {
      const auto* lease = std::get_if<Lease>(&entry);
      if (lease != nullptr && lease->expiry && (!first || *lease->expiry < *first))
        first = lease->expiry;
    }
  });
  if (!first) return std::nullopt;
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(*first - now_()));
}

void DirectoryWatch::report(Status health) {
  if (table_.health().set(std::move(health)) && changed_) changed_();
}

}  // namespace weft
