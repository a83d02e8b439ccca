#include "store/directory_watch.h"

#include <sys/eventfd.h>

#include <algorithm>

#include "base/loop.h"

namespace weft {

using std::chrono::milliseconds;

DirectoryWatch::DirectoryWatch(std::string folder, WallClock now, LeaseStore::Changed changed)
    : folder_(std::move(folder)),
      now_(std::move(now)),
      changed_(std::move(changed)),
      events_(folder_),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

DirectoryWatch::~DirectoryWatch() {
  thread_.request_stop();
  ::eventfd_write(wake_.get(), 1);
}

// Watch first and read then: what changes in between is read twice and not missed.
void DirectoryWatch::run(const std::stop_token& stop) {
  unsigned failures = 0;
  while (!stop.stop_requested()) {
    const auto there = events_.arm();
    Status status;
    if (!there)
      status = Failure(there.error());
    else if (!*there)
      status = fail("the folder " + folder_ + " is gone; the leases last read stay in use",
                    "make it again, or point the store elsewhere");
    else if (status = read_everything(); status)
      status = follow(stop);
    failures = status ? 0 : failures + 1;
    if (status) continue;
    report(status);
    // A missing folder tells when it comes; every other trouble has to be tried again.
    const bool missing = there && !*there;
    (void)events_.wait(wake_,
                       missing ? std::nullopt : std::optional(backoff(failures, milliseconds(0))));
  }
}

Status DirectoryWatch::read_everything() {
  ASSIGN_OR_RETURN(LeaseEntries entries, read_lease_folder(folder_));
  std::erase_if(entries,
                [now = now_()](const auto& named) { return has_expired(named.second, now); });
  table_.assign(std::move(entries));
  table_.health().set({});
  if (changed_) changed_();
  return {};
}

// Applies one batch of events after the other; returns when everything must be read anew.
Status DirectoryWatch::follow(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    ASSIGN_OR_RETURN(auto batch, events_.wait(wake_, until_next_expiry()));
    if (!batch.gone.empty()) RETURN_IF_ERROR(settle(batch));
    if (batch.lost) return {};
    if (!batch.empty()) RETURN_IF_ERROR(apply(batch));
    drop_expired();
  }
  return {};
}

// A removal may be the first of a folder that is on its way out, and that would not mean that
// the nodes are gone. So removals wait until nothing has happened for a moment; but not for
// ever, in a folder that is never quiet.
Status DirectoryWatch::settle(FolderEvents::Batch& batch) {
  constexpr milliseconds kQuiet(50);
  constexpr milliseconds kAtMost(2000);
  const auto deadline = std::chrono::steady_clock::now() + kAtMost;
  while (!batch.lost && std::chrono::steady_clock::now() < deadline) {
    ASSIGN_OR_RETURN(auto more, events_.wait(wake_, kQuiet));
    if (more.empty()) return {};
    batch.lost = more.lost;
    batch.put.merge(more.put);
    batch.gone.merge(more.gone);
  }
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

void DirectoryWatch::drop_expired() {
  const auto wait = until_next_expiry();
  if (!wait || *wait > milliseconds(0)) return;
  table_.edit([now = now_()](LeaseEntries& entries) {
    std::erase_if(entries, [&](const auto& named) { return has_expired(named.second, now); });
  });
  if (changed_) changed_();
}

std::optional<milliseconds> DirectoryWatch::until_next_expiry() const {
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
