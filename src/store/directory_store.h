// directory_store.h: leases as files in a folder, for the daemons of one machine.
//
//     DIR/config          net-conf.json
//     DIR/subnets/KEY     one lease a file, named by its key, see lease_file.h
//     DIR/.lock           held (flock) while a lease is compared and changed
//
// A person can read the files and may edit them (then also count "Version" up, or take it
// out); several daemons may share the folder. Files come and go by rename and link, so that
// every reader sees a whole one. A file that is no lease is a BrokenLease and holds its key;
// names that start with a dot are leftovers of a crash and are ignored. A folder that is gone
// is an Error and never an empty cluster.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "store/lease_store.h"
#include "store/lease_table.h"

namespace weft {

/// The wall clock, or a test's.
using WallClock = std::function<std::chrono::system_clock::time_point()>;

/// Every file of `folder` that is no leftover, as a lease or broken; expired ones too.
Result<LeaseEntries> read_lease_folder(const std::string& folder);

/// One file of `folder`; nothing when there is none. Fails when the folder itself is gone.
Result<std::optional<LeaseEntry>> read_lease_entry(const std::string& folder,
                                                   const std::string& name);

/// Whether an entry is a lease that has expired at `now`.
bool has_expired(const LeaseEntry& entry, std::chrono::system_clock::time_point now);

class DirectoryStore : public LeaseStore {
 public:
  /// Makes the folders when they are not there yet.
  static Result<std::unique_ptr<DirectoryStore>> open(
      const std::string& path, WallClock now = std::chrono::system_clock::now);

  std::string describe() const override { return "directory " + path_; }
  Result<std::optional<std::string>> network_config() override;
  Result<LeaseView> list() override;
  Result<std::optional<Lease>> create(const LeaseKey& key, const LeaseAttributes& attributes,
                                      std::optional<std::chrono::seconds> ttl) override;
  Result<std::optional<Lease>> replace(const Lease& seen, const LeaseAttributes& attributes,
                                       std::optional<std::chrono::seconds> ttl) override;
  Result<std::optional<UnixSeconds>> expiry(const Lease& lease) override;
  Result<bool> remove(const Lease& seen) override;
  std::unique_ptr<LeaseWatch> watch(Changed changed) override;

 private:
  DirectoryStore(std::string path, WallClock now) : path_(std::move(path)), now_(std::move(now)) {}

  std::string subnets() const { return path_ + "/subnets"; }
  std::string file_of(const LeaseKey& key) const { return subnets() + "/" + key.to_string(); }
  Lease fresh_lease(const LeaseKey& key, const LeaseAttributes& attributes,
                    std::optional<std::chrono::seconds> ttl, std::int64_t previous) const;

  std::string path_;
  WallClock now_;
};

}  // namespace weft
