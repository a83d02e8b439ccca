// zone_publisher.h: from objects, as a store brings them, to the snapshot that is answered from.
//
// Theory of operation. Whoever reads a store puts its objects into the builder, on threads of its
// own, and nudges. A thread here makes a snapshot of what has changed, a few milliseconds after the
// first change of a burst.
//
// Where names are kept on disk, a start begins with them: they are answered at once, and said to be
// stale. For as long as a start may wait for the store nothing is denied yet; a store that is still
// away then might be so for hours, and what an earlier run knew is what a running one would go on
// saying, denials included. When everything has been read, nothing of theirs is left.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/lock_guarded.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/published.h"
#include "dns/plugin_options.h"
#include "dns/snapshot_file.h"
#include "dns/zone_builder.h"

namespace weft::dns {

class ZonePublisher {
 public:
  /// How the reading goes, asked before each snapshot on the thread here.
  struct Reading {
    /// From its first yes on, names that are not known are denied.
    std::function<bool()> is_complete;
    /// What keeps the names from being current, which is logged when it lasts for a second.
    std::function<Status()> health;
  };
  /// `zones` must outlive it.
  ZonePublisher(const KubernetesOptions& options, const SnapshotPlace& kept,
                Published<ClusterZone>& zones, Reading reading);
  ZonePublisher(const ZonePublisher&) = delete;
  ZonePublisher& operator=(const ZonePublisher&) = delete;

  LockGuarded<ZoneBuilder>& builder() { return builder_; }
  /// Publishes what there is, and from now on what comes.
  void start();
  /// After it nothing is asked or published any more.
  void stop() { loop_.stop(); }
  /// Something has changed. Callable from any thread.
  void nudge() { loop_.nudge(); }
  /// What is not known is denied.
  bool is_complete() const { return complete_; }

  /// Logs now and then that an object makes no sense. Callable from any thread.
  void note_unreadable(const std::string& what, const Error& error);

 private:
  using Time = std::chrono::steady_clock::time_point;
  // How far the reading is.
  enum class Stage : std::uint8_t {
    kReading,   // for the first time, with stale names or without
    kRecalled,  // so long that stale names must do
    kComplete
  };

  void recall();
  Rest publish();
  Stage stage_at(Time now) const;
  void enter(Stage stage);
  std::shared_ptr<const ClusterZone> publish_snapshot(Stage stage);
  // False: what there is to tell is too young.
  bool tell_health(const Status& health, Time now);

  Published<ClusterZone>& zones_;
  const ZoneOptions zone_options_;
  const std::chrono::milliseconds patience_;
  const Reading reading_;
  LockGuarded<ZoneBuilder> builder_;
  RateLimit told_{std::chrono::minutes(5)};
  std::atomic<bool> complete_{false};
  // Of the thread alone, after the start:
  std::optional<UnixSeconds> recalled_;  // of when the stale names are
  Time begun_;
  Stage stage_ = Stage::kReading;
  std::optional<Time> unwell_since_;
  bool is_told_ = false;
  std::unique_ptr<SnapshotFile> file_;  // nullptr: nothing is kept
  const bool recalls_;
  Loop loop_;  // last, so that it ends first
};

}  // namespace weft::dns
