#include "cni/plugins/address_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/file_lock.h"
#include "base/files.h"
#include "base/text.h"
#include "cni/plugins/former_boots.h"

namespace weft::cni {
namespace {

std::string body_of(const AddressOwner& owner) {
  return owner.container_id + "\r\n" + owner.ifname;
}

std::uint64_t hash(const AddressOwner& owner) {
  std::uint64_t value = 0xcbf29ce484222325U;  // FNV-1a
  for (const char c : body_of(owner)) {
    value ^= static_cast<unsigned char>(c);
    value *= 0x100000001b3U;
  }
  return value;
}

AddressOwner parse_body(std::string_view body) {
  const auto end = body.find("\r\n");
  if (end == std::string_view::npos) return {.container_id = std::string(trim(body))};
  return {.container_id = std::string(trim(body.substr(0, end))),
          .ifname = std::string(trim(body.substr(end)))};
}

// A file of old times has no interface and is matched by every one.
bool belongs_to(const AddressOwner& held, const AddressOwner& owner) {
  return held.container_id == owner.container_id &&
         (held.ifname.empty() || held.ifname == owner.ifname);
}

// A power loss may leave an empty file or one of zero bytes.
bool is_nobody(const AddressOwner& owner) {
  return owner.container_id.find_first_not_of('\0') == std::string::npos;
}

bool write_whole(int fd, std::string_view text) {
  return ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// Names this boot of the machine; empty where the kernel does not tell.
std::string present_boot() {
  const auto id = read_file("/proc/sys/kernel/random/boot_id", 64);
  return id ? std::string(trim(*id)) : "";
}

CniStatus take_lock(const Fd& lock, const std::string& path, std::chrono::milliseconds patience) {
  const auto taken = lock_file(lock.get(), patience);
  if (taken) return {};
  if (taken.error().number != ETIMEDOUT)
    return refuse(Code::kIoFailure, "locking " + path + ": " + go_words(taken.error().number));
  return refuse(Code::kTryAgainLater,
                "another plugin has held " + path + " for more than " +
                    std::to_string(patience.count()) + " ms",
                "fuser -v " + path + " names it");
}

}  // namespace

CniResult<AddressStore> AddressStore::open(const std::string& data_dir, const std::string& network,
                                           std::chrono::milliseconds patience,
                                           FormerBoots former_boots) {
  const std::string folder = data_dir + "/" + network;
  Fd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.empty()) {
    RETURN_IF_ERROR(make_directories(folder, 0755));
    directory = Fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  if (directory.empty()) return CniFailure(fail_errno("opening " + folder).value());
  Fd lock(::openat(directory.get(), "lock", O_RDONLY | O_CREAT | O_CLOEXEC, 0750));
  if (lock.empty()) return CniFailure(fail_errno("opening " + folder + "/lock").value());
  RETURN_IF_ERROR(take_lock(lock, folder + "/lock", patience));
  return AddressStore(folder, std::move(directory), std::move(lock), former_boots);
}

AddressStore::~AddressStore() {
  if (changed_ && index_) index_->stamp();
}

std::optional<Reservation> AddressStore::read_reservation(const std::string& name) const {
  const auto address = IpAddress::parse(name);
  if (!address) return std::nullopt;
  Fd file(::openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (file.empty() || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return std::nullopt;
  char body[1024];
  const ssize_t got = ::read(file.get(), body, sizeof body);
  if (got < 0) return std::nullopt;
  return Reservation{.address = *address,
                     .owner = parse_body({body, static_cast<std::size_t>(got)}),
                     .since = info.st_mtim,
                     .inode = info.st_ino};
}

CniResult<std::vector<Reservation>> AddressStore::read_all(std::size_t& empty) {
  ASSIGN_OR_RETURN(const auto names, list_directory(folder_));
  std::vector<Reservation> result;
  for (const auto& name : names) {
    auto reservation = read_reservation(name);
    if (!reservation) continue;
    if (!is_nobody(reservation->owner)) {
      result.push_back(*std::move(reservation));
    } else if (::unlinkat(directory_.get(), name.c_str(), 0) == 0) {
      changed_ = true;
      ++empty;
    }
  }
  return result;
}

CniResult<std::vector<Reservation>> AddressStore::reservations() {
  std::size_t empty = 0;
  return read_all(empty);
}

CniStatus AddressStore::load() {
  if (index_) return {};
  const std::string boot = present_boot();
  index_ = AddressIndex::load(directory_.get(), boot);
  return index_ ? CniStatus() : rebuild(boot);
}

// Only what is older than this boot, beside having been met at its first call: a Go plugin may
// have been at work before.
CniStatus AddressStore::rebuild(const std::string& boot) {
  ASSIGN_OR_RETURN(const auto all, reservations());
  const std::string last_boot = AddressIndex::boot_of(directory_.get());
  if (former_boots_ == FormerBoots::kReleased && !last_boot.empty() && last_boot != boot)
    record_former_boots(directory_.get(), all, start_of_boot());
  std::vector<AddressIndex::Entry> entries;
  for (const auto& reservation : all)
    entries.emplace_back(hash(reservation.owner), reservation.address);
  index_ = AddressIndex::create(directory_.get(), boot, entries);
  changed_ = true;
  return {};
}

CniResult<std::size_t> AddressStore::reclaim() {
  RETURN_IF_ERROR(load());
  std::size_t count = 0;
  ASSIGN_OR_RETURN(const auto all, read_all(count));
  if (former_boots_ == FormerBoots::kStay) return count;
  const auto former = read_former_boots(directory_.get());
  for (const auto& reservation : all) {
    if (!former.contains(fingerprint(reservation))) continue;
    RETURN_IF_ERROR(release(reservation.address));
    ++count;
  }
  return count;
}

CniResult<bool> AddressStore::reclaim(const IpAddress& address) {
  if (former_boots_ == FormerBoots::kStay) return false;
  const auto held = read_reservation(address.to_string());
  if (!held || !read_former_boots(directory_.get()).contains(fingerprint(*held))) return false;
  RETURN_IF_ERROR(release(address));
  return true;
}

CniResult<std::vector<IpAddress>> AddressStore::held() {
  RETURN_IF_ERROR(load());
  auto addresses = index_->all();
  std::sort(addresses.begin(), addresses.end());
  return addresses;
}

CniResult<std::vector<IpAddress>> AddressStore::held_by(const AddressOwner& owner) {
  RETURN_IF_ERROR(load());
  std::vector<IpAddress> addresses;
  for (const auto& holder : {owner, AddressOwner{.container_id = owner.container_id}})
    for (const auto& address : index_->of(hash(holder))) {
      const auto reservation = read_reservation(address.to_string());
      if (reservation && belongs_to(reservation->owner, owner)) addresses.push_back(address);
    }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

CniResult<bool> AddressStore::reserve(const AddressOwner& owner, const IpAddress& address,
                                      std::size_t set) {
  RETURN_IF_ERROR(load());
  const std::string name = address.to_string();
  const auto create = [&] {
    return Fd(
        ::openat(directory_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  };
  Fd file = create();
  if (file.empty() && errno == EEXIST) {
    const auto held = read_reservation(name);
    if (!held || !is_nobody(held->owner)) return false;
    RETURN_IF_ERROR(release(address));
    file = create();
  }
  if (file.empty()) return CniFailure(fail_errno("creating " + path(name)).value());
  changed_ = true;
  if (!write_whole(file.get(), body_of(owner))) {
    const Failure failure = fail_errno("writing " + path(name));
    ::unlinkat(directory_.get(), name.c_str(), 0);
    return CniFailure(failure.value());
  }
  index_->add({hash(owner), address});
  remember_last(name, set);
  return true;
}

// Only the order of what comes next hangs on it: a failure is no failure of the ADD. Not
// truncated to nothing first: ext4 would write such a file to the disk when it is closed.
void AddressStore::remember_last(const std::string& address, std::size_t set) {
  const std::string name = "last_reserved_ip." + std::to_string(set);
  const Fd file(::openat(directory_.get(), name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file.empty() || !write_whole(file.get(), address)) return;
  (void)!::ftruncate(file.get(), static_cast<off_t>(address.size()));
}

CniStatus AddressStore::release(const IpAddress& address) {
  RETURN_IF_ERROR(load());
  const std::string name = address.to_string();
  if (::unlinkat(directory_.get(), name.c_str(), 0) != 0 && errno != ENOENT)
    return CniFailure(fail_errno("removing " + path(name)).value());
  changed_ = true;
  index_->remove(address);
  return {};
}

CniStatus AddressStore::release(const AddressOwner& owner) {
  ASSIGN_OR_RETURN(const auto addresses, held_by(owner));
  // As in Go: a file of old times is taken only when there is none with the interface.
  bool exact = false;
  for (const auto& address : addresses)
    if (const auto held = read_reservation(address.to_string()); held && held->owner == owner)
      exact = true;
  for (const auto& address : addresses) {
    const auto held = read_reservation(address.to_string());
    if (held && (!exact || held->owner == owner)) RETURN_IF_ERROR(release(address));
  }
  return {};
}

std::optional<IpAddress> AddressStore::last_reserved(std::size_t set) const {
  const auto text = read_file(path("last_reserved_ip." + std::to_string(set)), 64);
  if (!text) return std::nullopt;
  return IpAddress::parse(trim(*text));
}

}  // namespace weft::cni
