#include "cni/plugins/address_index.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace weft::cni {
namespace {

constexpr const char* kName = ".weft-index";
constexpr std::string_view kMagic = "weft-hl2";
// A folder of a million addresses; anything larger is not ours.
constexpr off_t kLargest = off_t{32} << 20;

template <class T>
bool read_at(int fd, T* target, std::size_t size, off_t offset) {
  return ::pread(fd, target, size, offset) == static_cast<ssize_t>(size);
}

template <class T>
bool write_at(int fd, const T* source, std::size_t size, off_t offset) {
  return ::pwrite(fd, source, size, offset) == static_cast<ssize_t>(size);
}

}  // namespace

AddressIndex::Header AddressIndex::header_for(const std::string& boot) {
  Header header;
  std::copy(kMagic.begin(), kMagic.end(), header.magic.begin());
  std::copy_n(boot.begin(), std::min(boot.size(), header.boot.size()), header.boot.begin());
  return header;
}

AddressIndex::Slot AddressIndex::slot_of(const Entry& entry) {
  Slot slot{.owner = entry.first, .length = entry.second.bytes().size()};
  std::memcpy(slot.address.data(), entry.second.bytes().data(), slot.length);
  return slot;
}

std::string AddressIndex::boot_of(int directory) {
  const Fd file(::openat(directory, kName, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  Header header;
  if (file.empty() || !read_at(file.get(), &header, sizeof header, 0) ||
      std::string_view(header.magic.data(), header.magic.size()) != kMagic)
    return {};
  return {header.boot.data(), ::strnlen(header.boot.data(), header.boot.size())};
}

std::optional<AddressIndex> AddressIndex::load(int directory, const std::string& boot) {
  AddressIndex index(directory, header_for(boot));
  index.file_ = Fd(::openat(directory, kName, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  struct stat folder {};
  struct stat file {};
  if (index.file_.empty() || ::fstat(directory, &folder) != 0 ||
      ::fstat(index.file_.get(), &file) != 0)
    return std::nullopt;
  index.header_.seconds = folder.st_mtim.tv_sec;
  index.header_.nanoseconds = folder.st_mtim.tv_nsec;
  Header header;
  const off_t size = file.st_size - static_cast<off_t>(sizeof header);
  if (size < 0 || size > kLargest || size % static_cast<off_t>(sizeof(Slot)) != 0 ||
      !read_at(index.file_.get(), &header, sizeof header, 0) || header != index.header_)
    return std::nullopt;
  index.slots_.resize(static_cast<std::size_t>(size) / sizeof(Slot));
  if (!read_at(index.file_.get(), index.slots_.data(), static_cast<std::size_t>(size),
               sizeof header))
    return std::nullopt;
  for (const Slot& slot : index.slots_)
    if (slot.length != 0 && slot.length != 4 && slot.length != 16) return std::nullopt;
  return index;
}

AddressIndex AddressIndex::create(int directory, const std::string& boot,
                                  std::span<const Entry> entries) {
  AddressIndex index(directory, header_for(boot));
  for (const Entry& entry : entries) index.slots_.push_back(slot_of(entry));
  // The old stamp is gone with the truncation: a crash from here on leads to another rebuild.
  index.file_ =
      Fd(::openat(directory, kName, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (index.file_.empty()) return index;
  const std::size_t size = index.slots_.size() * sizeof(Slot);
  if (!write_at(index.file_.get(), &index.header_, sizeof(Header), 0) ||
      !write_at(index.file_.get(), index.slots_.data(), size, sizeof(Header)))
    index.file_.reset();
  return index;
}

// What cannot be written down is not stamped either, and so read anew next time.
void AddressIndex::write(std::size_t slot) {
  if (file_.empty()) return;
  const auto offset = static_cast<off_t>(sizeof(Header) + slot * sizeof(Slot));
  if (!write_at(file_.get(), &slots_[slot], sizeof(Slot), offset)) file_.reset();
}

void AddressIndex::add(const Entry& entry) {
  auto free =
      std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.length == 0; });
  if (free == slots_.end()) free = slots_.insert(slots_.end(), Slot{});
  *free = slot_of(entry);
  write(static_cast<std::size_t>(free - slots_.begin()));
}

void AddressIndex::remove(const IpAddress& address) {
  const Slot wanted = slot_of({0, address});
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].length != wanted.length || slots_[i].address != wanted.address) continue;
    slots_[i] = {};
    write(i);
  }
}

std::vector<IpAddress> AddressIndex::of(std::uint64_t owner) const {
  std::vector<IpAddress> addresses;
  for (const Slot& slot : slots_)
    if (slot.length != 0 && slot.owner == owner)
      addresses.push_back(*IpAddress::from_bytes({slot.address.data(), slot.length}));
  return addresses;
}

std::vector<IpAddress> AddressIndex::all() const {
  std::vector<IpAddress> addresses;
  for (const Slot& slot : slots_)
    if (slot.length != 0)
      addresses.push_back(*IpAddress::from_bytes({slot.address.data(), slot.length}));
  return addresses;
}

void AddressIndex::stamp() {
  std::uint32_t random = 0;
  timespec times[2]{};
  times[0].tv_nsec = UTIME_OMIT;
  struct stat folder {};
  if (file_.empty() || ::getrandom(&random, sizeof random, 0) != sizeof random ||
      ::fstat(directory_, &folder) != 0)
    return;
  times[1].tv_sec = folder.st_mtim.tv_sec;
  times[1].tv_nsec = static_cast<long>(random % 1'000'000'000U);
  if (::futimens(directory_, times) != 0) return;
  // A file system with a coarser clock stores something else: then the stamp is what it says.
  if (::fstat(directory_, &folder) != 0) return;
  header_.seconds = folder.st_mtim.tv_sec;
  header_.nanoseconds = folder.st_mtim.tv_nsec;
  (void)write_at(file_.get(), &header_, sizeof header_, 0);
}

}  // namespace weft::cni
