// address_store.h: the addresses that host-local has given out, on disk.
//
// The format is that of the Go plugin, so that a node can change sides in either direction
// while its containers run: in <dataDir>/<network>/ one file per address, named after it, that
// holds "<container id>\r\n<interface>" (in old times the id alone), `last_reserved_ip.<set>`,
// and `lock`, which is held with flock(2).
//
// Beside them lies `.weft-index` (address_index.h), which saves reading every file to learn who
// holds what, and where it is asked for `.weft-former-boots`: the files that were there when the
// machine had been started anew. Their containers are gone, whether a DEL came for them or not.
//
// Nothing is synced to disk, and need not be. While the lock is held by us no other plugin is
// at work, so an empty file is what a killed plugin or a power loss left behind, and nobody
// has that address: it is removed when met. And no container outlives a power loss, so a file
// that is lost with one cannot lead to the same address being in use twice.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "cni/cni_error.h"
#include "cni/plugins/address_index.h"
#include "net/address.h"

namespace weft::cni {

/// Who holds an address.
struct AddressOwner {
  std::string container_id = {};
  std::string ifname = {};  ///< empty in files of old times: any interface
  auto operator<=>(const AddressOwner&) const = default;
};

struct Reservation {
  IpAddress address = {};
  AddressOwner owner = {};
  timespec since = {};      ///< when its file was written
  std::uint64_t inode = 0;  ///< of its file
};

/// What becomes of addresses whose containers ran before the machine was started anew.
enum class FormerBoots {
  kStay,      ///< they are held until a DEL or GC, as with the Go plugin
  kReleased,  ///< they are remembered, and can be reclaimed
};

class AddressStore {
 public:
  /// Opens the folder of a network, which it creates, and takes the lock. Code::kTryAgainLater
  /// when somebody else keeps the lock for longer than `patience`.
  static CniResult<AddressStore> open(const std::string& data_dir, const std::string& network,
                                      std::chrono::milliseconds patience,
                                      FormerBoots former_boots = FormerBoots::kStay);
  AddressStore(AddressStore&&) = default;
  AddressStore& operator=(AddressStore&&) = delete;
  ~AddressStore();

  /// What an owner holds, files of old times included.
  CniResult<std::vector<IpAddress>> held_by(const AddressOwner& owner);
  /// False when somebody holds the address already. Remembers it as the set's last. An empty
  /// file, which a crash has left, is nobody's.
  CniResult<bool> reserve(const AddressOwner& owner, const IpAddress& address, std::size_t set);
  /// Releases everything that an owner holds; nothing is success.
  CniStatus release(const AddressOwner& owner);
  /// Releases one address, whoever holds it.
  CniStatus release(const IpAddress& address);
  /// Releases what nobody can hold any more: empty files and, with FormerBoots::kReleased, the
  /// addresses of a former boot. Reads every file. Returns how many there were.
  CniResult<std::size_t> reclaim();
  /// The same for one address. False when somebody may hold it.
  CniResult<bool> reclaim(const IpAddress& address);
  /// The address given out last from a set.
  std::optional<IpAddress> last_reserved(std::size_t set) const;
  /// Every address that is held, in order.
  CniResult<std::vector<IpAddress>> held();
  /// The same with their owners: reads every file.
  CniResult<std::vector<Reservation>> reservations();

 private:
  AddressStore(std::string folder, Fd directory, Fd lock, FormerBoots former_boots)
      : folder_(std::move(folder)),
        directory_(std::move(directory)),
        lock_(std::move(lock)),
        former_boots_(former_boots) {}

  CniStatus load();
  CniStatus rebuild(const std::string& boot);
  void remember_last(const std::string& address, std::size_t set);
  CniResult<std::vector<Reservation>> read_all(std::size_t& empty);
  std::optional<Reservation> read_reservation(const std::string& name) const;
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
  Fd directory_;
  Fd lock_;
  FormerBoots former_boots_;
  std::optional<AddressIndex> index_ = {};  // nothing before load()
  bool changed_ = false;                    // the folder, since it was stamped last
};

}  // namespace weft::cni
