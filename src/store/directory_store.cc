#include "store/directory_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <thread>

#include "base/fd.h"
#include "base/files.h"
#include "store/directory_watch.h"
#include "store/lease_file.h"

namespace weft {
namespace {

using std::chrono::milliseconds;

// A lease has a few hundred bytes.
constexpr std::size_t kLargestLease = 1U << 20U;
constexpr mode_t kFileMode = 0644;

// Keeps other threads and other daemons from changing leases. flock() has no time limit of its
// own, and a holder that is stopped must not stop us: so we ask again and again, for 5 s.
Result<Fd> lock(const std::string& store) {
  constexpr milliseconds kPause(2);
  constexpr int kTries = 2500;
  const std::string path = store + "/.lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd.empty()) return fail_errno("opening " + path);
  for (int i = 0; i < kTries; ++i) {
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    if (errno != EWOULDBLOCK && errno != EINTR) return fail_errno("locking " + path);
    std::this_thread::sleep_for(kPause);
  }
  return fail("locking " + path + ": another process has held it for 5 s",
              "see which one with: fuser " + path);
}

Status check_folder(const std::string& folder) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) return fail_errno("reading " + folder);
  if (!S_ISDIR(info.st_mode)) return fail_errno("reading " + folder, ENOTDIR);
  return {};
}

std::int64_t written_at(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return 0;
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000 + info.st_mtim.tv_nsec / 1000;
}

const Lease* live_lease(const std::optional<LeaseEntry>& entry,
                        std::chrono::system_clock::time_point now) {
  return entry && !has_expired(*entry, now) ? std::get_if<Lease>(&*entry) : nullptr;
}

}  // namespace

bool has_expired(const LeaseEntry& entry, std::chrono::system_clock::time_point now) {
  const auto* lease = std::get_if<Lease>(&entry);
  return lease != nullptr && lease->expiry && *lease->expiry <= now;
}

Result<std::optional<LeaseEntry>> read_lease_entry(const std::string& folder,
                                                   const std::string& name) {
  const std::string path = folder + "/" + name;
  const std::int64_t written = written_at(path);
  const auto text = read_file(path, kLargestLease);
  if (!text && text.error().number == ENOENT) {
    RETURN_IF_ERROR(check_folder(folder));
    return std::nullopt;
  }
  if (!text) return BrokenLease{name, text.error().text()};
  auto lease = parse_lease_file(name, *text, written);
  if (!lease) return BrokenLease{name, lease.error().text()};
  return *std::move(lease);
}

Result<LeaseEntries> read_lease_folder(const std::string& folder) {
  LeaseEntries entries;
  ASSIGN_OR_RETURN(const auto names, list_directory(folder));
  for (const auto& name : names) {
    if (name.starts_with('.')) continue;
    ASSIGN_OR_RETURN(auto entry, read_lease_entry(folder, name));
    if (entry) entries.emplace(name, *std::move(entry));
  }
  // list_directory() takes a folder that is not there for an empty one.
  RETURN_IF_ERROR(check_folder(folder));
  return entries;
}

Result<std::unique_ptr<DirectoryStore>> DirectoryStore::open(const std::string& path,
                                                             WallClock now) {
  if (path.empty()) return fail("opening the directory store: its path is empty");
  std::unique_ptr<DirectoryStore> store(new DirectoryStore(path, std::move(now)));
  RETURN_IF_ERROR(make_directories(store->subnets()));
  RETURN_IF_ERROR(check_folder(store->subnets()));
  return store;
}

Result<std::optional<std::string>> DirectoryStore::network_config() {
  auto text = read_file(path_ + "/config");
  if (text) return *std::move(text);
  if (text.error().number != ENOENT) return Failure(std::move(text).error());
  RETURN_IF_ERROR(check_folder(path_));
  return std::nullopt;
}

Result<LeaseView> DirectoryStore::list() {
  ASSIGN_OR_RETURN(LeaseEntries entries, read_lease_folder(subnets()));
  std::erase_if(entries,
                [now = now_()](const auto& named) { return has_expired(named.second, now); });
  return make_view(entries);
}

// A lease that replaces the version `previous`, or the first of its key after 0. Microseconds
// and not a count: the version of a lease that was removed and made anew must differ as well.
Lease DirectoryStore::fresh_lease(const LeaseKey& key, const LeaseAttributes& attributes,
                                  std::optional<std::chrono::seconds> ttl,
                                  std::int64_t previous) const {
  const auto now = now_();
  const std::int64_t version =
      std::chrono::ceil<std::chrono::microseconds>(now.time_since_epoch()).count();
  Lease lease{.key = key,
              .attributes = attributes,
              .reserved = !ttl,
              .expiry = std::nullopt,
              .version = std::max(version, previous + 1)};
  if (ttl) lease.expiry = std::chrono::ceil<std::chrono::seconds>(now) + *ttl;
  return lease;
}

Result<std::optional<Lease>> DirectoryStore::create(const LeaseKey& key,
                                                    const LeaseAttributes& attributes,
                                                    std::optional<std::chrono::seconds> ttl) {
  ASSIGN_OR_RETURN(const Fd held, lock(path_));
  ASSIGN_OR_RETURN(const auto current, read_lease_entry(subnets(), key.to_string()));
  if (current && !has_expired(*current, now_())) return std::nullopt;
  const std::int64_t previous = current ? std::get<Lease>(*current).version : 0;
  Lease lease = fresh_lease(key, attributes, ttl, previous);
  if (current) {
    RETURN_IF_ERROR(write_file_atomically(file_of(key), lease_file_text(lease), kFileMode));
    return lease;
  }
  // Linked and not renamed: a person's file that appears right now is not overwritten.
  const Status created = create_file_exclusively(file_of(key), lease_file_text(lease), kFileMode);
  if (created) return lease;
  if (created.error().number == EEXIST) return std::nullopt;
  return Failure(created.error());
}

Result<std::optional<Lease>> DirectoryStore::replace(const Lease& seen,
                                                     const LeaseAttributes& attributes,
                                                     std::optional<std::chrono::seconds> ttl) {
  ASSIGN_OR_RETURN(const Fd held, lock(path_));
  ASSIGN_OR_RETURN(const auto entry, read_lease_entry(subnets(), seen.key.to_string()));
  const Lease* current = live_lease(entry, now_());
  if (current == nullptr || current->version != seen.version) return std::nullopt;
  Lease lease = fresh_lease(seen.key, attributes, ttl, seen.version);
  RETURN_IF_ERROR(write_file_atomically(file_of(seen.key), lease_file_text(lease), kFileMode));
  return lease;
}

Result<std::optional<UnixSeconds>> DirectoryStore::expiry(const Lease& lease) {
  ASSIGN_OR_RETURN(const auto entry, read_lease_entry(subnets(), lease.key.to_string()));
  const Lease* current = live_lease(entry, now_());
  if (current == nullptr || current->version != lease.version) return std::nullopt;
  return current->expiry;
}

Result<bool> DirectoryStore::remove(const Lease& seen) {
  ASSIGN_OR_RETURN(const Fd held, lock(path_));
  ASSIGN_OR_RETURN(const auto entry, read_lease_entry(subnets(), seen.key.to_string()));
  if (!entry) return true;
  const auto* current = std::get_if<Lease>(&*entry);
  if (current == nullptr || current->version != seen.version) return false;
  RETURN_IF_ERROR(remove_file(file_of(seen.key)));
  return true;
}

std::unique_ptr<LeaseWatch> DirectoryStore::watch(Changed changed) {
  return std::make_unique<DirectoryWatch>(subnets(), now_, std::move(changed));
}

}  // namespace weft
