#include "cni/plugins/address_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <thread>
#include <unordered_set>

#include "base/files.h"
#include "base/text.h"

namespace weft::cni {
namespace {

constexpr const char* kIndex = ".weft-index";
constexpr std::string_view kHeader = "weft host-local index 1";
// The header and a stamp of fixed width, so that the stamp can be written in place.
constexpr std::size_t kHeaderSize = 56;
// A log of this many lines more than twice what they leave over is written anew.
constexpr std::size_t kSlack = 256;

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

std::string header_with(const timespec& stamp) {
  char text[kHeaderSize + 1];
  std::snprintf(text, sizeof text, "%.*s %021lld.%09ld", static_cast<int>(kHeader.size()),
                kHeader.data(), static_cast<long long>(stamp.tv_sec), stamp.tv_nsec);
  std::string header(text);
  header.resize(kHeaderSize - 1, ' ');
  return header + "\n";
}

std::string line_of(char sign, std::uint64_t owner, const IpAddress& address) {
  char text[80];
  std::snprintf(text, sizeof text, "%c%016llx %s\n", sign, static_cast<unsigned long long>(owner),
                address.to_string().c_str());
  return text;
}

using Entry = std::pair<std::uint64_t, IpAddress>;

struct Log {
  std::vector<Entry> live;
  std::size_t lines = 0;
};

// "+<hash> <address>" and "-<hash> <address>"; the last line of an address counts. Nothing when
// a line is not of that form.
std::optional<Log> parse_log(std::string_view text) {
  constexpr std::size_t kHashEnd = 17;
  Log log;
  std::unordered_set<IpAddress> seen;
  while (!text.empty()) {
    text.remove_suffix(1);
    const auto start = text.rfind('\n') + 1;  // npos + 1 is 0
    const std::string_view line = text.substr(start);
    text = text.substr(0, start);
    if (line.size() < kHashEnd + 2 || (line[0] != '+' && line[0] != '-')) return std::nullopt;
    const auto address = IpAddress::parse(line.substr(kHashEnd + 1));
    std::uint64_t owner = 0;
    const auto [end, error] = std::from_chars(line.data() + 1, line.data() + kHashEnd, owner, 16);
    if (!address || error != std::errc{} || end != line.data() + kHashEnd) return std::nullopt;
    if (seen.insert(*address).second && line[0] == '+') log.live.emplace_back(owner, *address);
    ++log.lines;
  }
  return log;
}

// Waits for the lock without sleeping for long, since it is held for fractions of a
// millisecond; flock(2) itself would wait for ever.
CniStatus take_lock(const Fd& lock, const std::string& path, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::chrono::microseconds pause{50};
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return refuse(Code::kIoFailure, "locking " + path + ": " + go_words(errno));
    if (std::chrono::steady_clock::now() >= deadline)
      return refuse(Code::kTryAgainLater,
                    "another plugin has held " + path + " for more than " +
                        std::to_string(patience.count()) + " ms",
                    "fuser -v " + path + " names it");
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds{2000});
  }
  return {};
}

}  // namespace

CniResult<AddressStore> AddressStore::open(const std::string& data_dir, const std::string& network,
                                           std::chrono::milliseconds patience) {
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
  return AddressStore(folder, std::move(directory), std::move(lock));
}

AddressStore::~AddressStore() {
  if (changed_ && !index_.empty()) stamp();
}

std::optional<Reservation> AddressStore::read_reservation(const std::string& name) {
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
                     .since = info.st_mtim.tv_sec};
}

CniResult<std::vector<Reservation>> AddressStore::reservations() {
  ASSIGN_OR_RETURN(const auto names, list_directory(folder_));
  std::vector<Reservation> result;
  for (const auto& name : names) {
    auto reservation = read_reservation(name);
    if (!reservation) continue;
    if (is_nobody(reservation->owner)) {
      ::unlinkat(directory_.get(), name.c_str(), 0);
      changed_ = true;
      continue;
    }
    result.push_back(*std::move(reservation));
  }
  return result;
}

bool AddressStore::load_index() {
  index_ = Fd(::openat(directory_.get(), kIndex, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
  struct stat folder {};
  if (index_.empty() || ::fstat(directory_.get(), &folder) != 0) return false;
  const auto text = read_file(path(kIndex));
  if (!text || text->size() < kHeaderSize || text->back() != '\n' ||
      text->substr(0, kHeaderSize) != header_with(folder.st_mtim))
    return false;
  auto parsed = parse_log(std::string_view(*text).substr(kHeaderSize));
  if (!parsed) return false;
  entries_ = std::move(parsed->live);
  if (parsed->lines > 2 * entries_->size() + kSlack) write_index();
  return true;
}

CniStatus AddressStore::rebuild() {
  ASSIGN_OR_RETURN(const auto all, reservations());
  std::vector<Entry> entries;
  for (const auto& reservation : all)
    entries.emplace_back(hash(reservation.owner), reservation.address);
  entries_ = std::move(entries);
  write_index();
  return {};
}

// Without an index (a full disk) everything works, only slower.
void AddressStore::write_index() {
  index_ = Fd(::openat(directory_.get(), kIndex,
                       O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (index_.empty()) return;
  // The old stamp is gone with the truncation: a crash from here on leads to a rebuild.
  std::string text(kHeaderSize - 1, ' ');
  text += '\n';
  for (const auto& [owner, address] : *entries_) text += line_of('+', owner, address);
  changed_ = true;
  if (!write_whole(index_.get(), text)) index_.reset();
}

void AddressStore::append_to_index(char sign, const Entry& entry) {
  changed_ = true;
  if (!index_.empty() && !write_whole(index_.get(), line_of(sign, entry.first, entry.second)))
    index_.reset();
}

void AddressStore::stamp() {
  std::uint32_t random = 0;
  timespec times[2]{};
  times[0].tv_nsec = UTIME_OMIT;
  struct stat folder {};
  if (::getrandom(&random, sizeof random, 0) != sizeof random ||
      ::fstat(directory_.get(), &folder) != 0)
    return;
  times[1].tv_sec = folder.st_mtim.tv_sec;
  times[1].tv_nsec = static_cast<long>(random % 1'000'000'000U);
  if (::futimens(directory_.get(), times) != 0) return;
  // A file system with a coarser clock stores something else: then the stamp is what it says.
  if (::fstat(directory_.get(), &folder) != 0) return;
  const std::string header = header_with(folder.st_mtim);
  Fd in_place(::openat(directory_.get(), kIndex, O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!in_place.empty()) write_whole(in_place.get(), header);
}

CniStatus AddressStore::load() {
  if (entries_ || load_index()) return {};
  return rebuild();
}

CniResult<std::vector<IpAddress>> AddressStore::held() {
  RETURN_IF_ERROR(load());
  std::vector<IpAddress> addresses;
  for (const auto& [owner, address] : *entries_) addresses.push_back(address);
  std::sort(addresses.begin(), addresses.end());
  return addresses;
}

CniResult<std::vector<IpAddress>> AddressStore::held_by(const AddressOwner& owner) {
  RETURN_IF_ERROR(load());
  const std::uint64_t full = hash(owner);
  const std::uint64_t old = hash({.container_id = owner.container_id});
  std::vector<IpAddress> addresses;
  for (const auto& [held, address] : *entries_) {
    if (held != full && held != old) continue;
    const auto reservation = read_reservation(address.to_string());
    if (reservation && belongs_to(reservation->owner, owner)) addresses.push_back(address);
  }
  std::sort(addresses.begin(), addresses.end());
  return addresses;
}

CniResult<bool> AddressStore::reserve(const AddressOwner& owner, const IpAddress& address,
                                      std::size_t set) {
  RETURN_IF_ERROR(load());
  const std::string name = address.to_string();
  Fd file(::openat(directory_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.empty() && errno == EEXIST) return false;
  if (file.empty()) return CniFailure(fail_errno("creating " + path(name)).value());
  changed_ = true;
  if (!write_whole(file.get(), body_of(owner))) {
    const Failure failure = fail_errno("writing " + path(name));
    ::unlinkat(directory_.get(), name.c_str(), 0);
    return CniFailure(failure.value());
  }
  entries_->emplace_back(hash(owner), address);
  append_to_index('+', entries_->back());
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
  std::erase_if(*entries_, [&](const Entry& entry) {
    if (entry.second != address) return false;
    append_to_index('-', entry);
    return true;
  });
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
