// zone_publisher.h: from objects, as a store brings them, to the snapshot that is answered from.
//
// Theory of operation. Whoever reads a store puts its objects into the builder, on threads of its
// own, and nudges. A thread here makes a snapshot of what has changed, a few milliseconds after the
// first change of a burst.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/lock_guarded.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/published.h"
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
  ZonePublisher(const ZoneOptions& options, Published<ClusterZone>& zones, Reading reading);
  ZonePublisher(const ZonePublisher&) = delete;
  ZonePublisher& operator=(const ZonePublisher&) = delete;

  LockGuarded<ZoneBuilder>& builder() { return builder_; }
  /// Publishes what there is, and from now on what comes.
  void start();
  /// After it nothing is asked or published any more.
  void stop() { loop_.stop(); }
  /// Something has changed. Callable from any thread.
  void nudge() { loop_.nudge(); }
  bool is_complete() const { return complete_; }

  /// Logs now and then that an object makes no sense. Callable from any thread.
  void note_unreadable(const std::string& what, const Error& error);

 private:
  Rest publish();
  void publish_snapshot(bool is_complete);
  // False: what there is to tell is too young.
  bool tell_health(std::chrono::steady_clock::time_point now);

  Published<ClusterZone>& zones_;
  const Reading reading_;
  LockGuarded<ZoneBuilder> builder_;
  RateLimit told_{std::chrono::minutes(5)};
  std::atomic<bool> complete_{false};
  // Of the thread alone:
  std::optional<std::chrono::steady_clock::time_point> unwell_since_;
  bool is_told_ = false;
  Loop loop_;  // last, so that it ends first
};

}  // namespace weft::dns
