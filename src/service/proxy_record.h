// proxy_record.h: what the service proxy has done so far, and how it is: the numbers behind
// /metrics, /healthz and /livez.
//
// Names and meaning of the metrics are kube-proxy's. Its two proxiers, one a family, are one pass
// here: what is said of a pass is said of each family.
//
// Source: k8s.io/kubernetes pkg/proxy/metrics, pkg/proxy/healthcheck (proxy_health.go).
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/lock_guarded.h"
#include "serve/metrics_text.h"
#include "service/proxy_watcher.h"

namespace weft::service {

/// How the proxy is at a moment.
struct ProxyHealth {
  bool healthy = true;
  std::optional<WallTime> last_updated = {};  ///< nothing: the kernel was never brought up to date
  std::string trouble = {};  ///< what has kept the last pass from doing that; empty: nothing
};

/// Every member may be called from any thread.
class ProxyRecord : public ProxyWatcher {
 public:
  using Clock = PassReport::Clock;

  /// `mode` as ProxyMode::name(). Changes that wait for longer than `patience` make it unhealthy.
  ProxyRecord(std::string mode, std::vector<Family> families, Clock::duration patience);

  /// Something has come in that a pass has to bring into the kernel.
  void queued(Clock::time_point now, WallTime at);
  void passed(const PassReport& report) override;
  /// Entries of the connection table, removed in so much time.
  void conntrack_cleaned(Clock::duration took, std::size_t removed);
  /// /healthz or /livez was answered with 200 or 503.
  void answered(const std::string& path, int code);

  /// It is well while it starts, and as long as no change waits for too long.
  ProxyHealth health(Clock::time_point now) const;
  /// `waiting` is what no pass has taken yet.
  std::string metrics(const BoardNews& waiting) const;

 private:
  struct State {
    std::optional<Clock::time_point> oldest_queued = {};  // not in the kernel yet
    std::optional<Clock::time_point> newest_queued = {};
    std::optional<WallTime> last_queued = {};
    std::optional<WallTime> last_synced = {};
    std::string trouble = {};
    Histogram syncs;
    Histogram full_syncs;
    Histogram partial_syncs;
    Histogram programming;
    Histogram conntrack_syncs;
    std::uint64_t conntrack_removed = 0;
    std::uint64_t failures = 0;
    std::uint64_t service_changes = 0;
    std::uint64_t slice_changes = 0;
    // Services without an endpoint on this node though their policy asks for one.
    std::map<Family, std::set<ServiceName>> none_inside = {};
    std::map<Family, std::set<ServiceName>> none_outside = {};
    std::map<std::string, std::map<int, std::uint64_t>> answers = {};  // by path and code
  };
  static void note_policies(const PlannedService& service, const std::vector<Family>& families,
                            State& state);
  template <class Value>
  void add_each_family(const Value& value, MetricsText& text) const;
  void add_syncs(const State& state, MetricsText& text) const;
  void add_changes(const State& state, const BoardNews& waiting, MetricsText& text) const;
  void add_policies(const State& state, MetricsText& text) const;
  void add_repairs_and_answers(const State& state, MetricsText& text) const;

  const std::string mode_;
  const std::vector<Family> families_;
  const Clock::duration patience_;
  LockGuarded<State> state_;
};

}  // namespace weft::service
