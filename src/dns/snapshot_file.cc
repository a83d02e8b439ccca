#include "dns/snapshot_file.h"

#include <utility>

#include "base/files.h"
#include "base/memory.h"
#include "base/sha2.h"
#include "dns/zone_snapshot.h"

namespace weft::dns {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBetweenWrites{30'000};
constexpr milliseconds kIdle{std::chrono::hours(1)};
constexpr std::chrono::seconds kConfirmEvery{3600};

// "cluster.local-1f2e3d4c.names": a zone may be another cluster's, too.
std::string file_name(const Name& zone, const std::string& origin) {
  constexpr std::size_t kDigits = 8;
  std::string name = zone.to_string();
  name.pop_back();
  for (char& c : name)
    if (c == '/') c = '_';
  return name + "-" + sha512_hex(origin, kDigits) + ".names";
}

}  // namespace

SnapshotFile::SnapshotFile(const SnapshotPlace& place, const Name& zone)
    : place_(place),
      path_(place.folder + "/" + file_name(zone, place.origin)),
      writer_([this] { return pass(); }) {
  writer_.start();
}

SnapshotFile::~SnapshotFile() {
  writer_.stop();
  (void)pass();
}

Result<UnixSeconds> SnapshotFile::recall(ZoneBuilder& builder) const {
  ASSIGN_OR_RETURN(const std::string bytes, read_file(path_, SnapshotLimits().bytes));
  return restore_snapshot(bytes, place_.origin, unix_now(), builder);
}

void SnapshotFile::keep(std::shared_ptr<const ClusterZone> names) {
  const bool is_new = newest_.with([&](Kept& kept) {
    kept.confirmed = unix_now();
    const bool differs = kept.names != names;
    kept.names.swap(names);
    return differs;
  });
  if (is_new) writer_.nudge();
}

Rest SnapshotFile::pass() {
  const Kept kept = newest_.copy();
  if (kept.names == nullptr) return kIdle;
  if (const Status written = write(kept); !written && told_.allows(written.error().text()))
    spdlog::warn("the names cannot be kept for the next start: {}", written.error().text());
  return {kIdle, kBetweenWrites};
}

Status SnapshotFile::write(const Kept& kept) {
  const std::string names = encode_names(*kept.names);
  const auto digest = sha256(names);
  if (digest == digest_ && kept.confirmed - written_ < kConfirmEvery) return {};
  const std::string whole = seal_snapshot(names, place_.origin, kept.confirmed);
  if (whole.size() > SnapshotLimits().bytes)
    return fail("they take " + std::to_string(whole.size()) + " bytes, which is too much");
  RETURN_IF_ERROR(make_directories(place_.folder, 0700));
  if (written_ == UnixSeconds()) (void)remove_leftovers(path_);
  RETURN_IF_ERROR(write_file_atomically(path_, whole, 0600));
  digest_ = digest;
  written_ = kept.confirmed;
  trim_heap();
  return {};
}

}  // namespace weft::dns
