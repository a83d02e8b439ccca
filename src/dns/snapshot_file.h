// snapshot_file.h: the file in which a cluster's names outlive the server (zone_snapshot.h).
//
// Theory of operation. Whoever publishes names hands each version over; a thread here writes the
// newest one down, at most twice a minute, and at the end what is newer than the file. What says
// the same is written again every hour only, so that the file's time tells that it was still so. It
// is replaced as a whole and brought to the disk, so that a power loss leaves the former one or the
// new one. A disk that cannot be written costs a line in the log and nothing else.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/lock_guarded.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/result.h"
#include "base/unix_time.h"
#include "dns/cluster_zone.h"
#include "dns/zone_builder.h"

namespace weft::dns {

/// Where a zone's names are kept.
struct SnapshotPlace {
  std::string folder = {};  ///< made when it is not there; empty: nothing is kept
  /// Who says what the names are: another origin has another file.
  std::string origin = {};
  /// Whether the start begins with what is there.
  bool recall = true;
};

class SnapshotFile {
 public:
  /// Nothing is read or written yet.
  SnapshotFile(const SnapshotPlace& place, const Name& zone);
  /// Writes down what is newer than the file.
  ~SnapshotFile();
  SnapshotFile(const SnapshotFile&) = delete;
  SnapshotFile& operator=(const SnapshotFile&) = delete;

  const std::string& path() const { return path_; }
  /// See restore_snapshot(); ENOENT when there is no file.
  Result<UnixSeconds> recall(ZoneBuilder& builder) const;
  /// These are the names now, as the cluster says. Callable from any thread.
  void keep(std::shared_ptr<const ClusterZone> names);

 private:
  struct Kept {
    std::shared_ptr<const ClusterZone> names = {};
    UnixSeconds confirmed = {};
  };
  Rest pass();
  Status write(const Kept& kept);

  const SnapshotPlace place_;
  const std::string path_;
  RateLimit told_{std::chrono::minutes(5)};
  LockGuarded<Kept> newest_;
  // Of who writes:
  std::array<std::uint8_t, 32> digest_{};  // of the names in the file
  UnixSeconds written_ = {};               // never, before the first time
  Loop writer_;                            // last, so that it ends first
};

}  // namespace weft::dns
