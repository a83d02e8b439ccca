#include "service/proxy_record.h"

#include <algorithm>
#include <utility>

namespace weft::service {
namespace {

using Seconds = std::chrono::duration<double>;

// From a millisecond, doubling.
std::vector<double> sync_bounds() {
  std::vector<double> bounds;
  double bound = 0.001;
  for (int i = 0; i < 15; ++i, bound *= 2) bounds.push_back(bound);
  return bounds;
}

std::vector<double> programming_bounds() {
  std::vector<double> bounds{0.25, 0.5};
  for (int seconds = 1; seconds < 60; ++seconds) bounds.push_back(seconds);
  for (int seconds = 60; seconds < 120; seconds += 5) bounds.push_back(seconds);
  for (int seconds = 120; seconds <= 300; seconds += 30) bounds.push_back(seconds);
  return bounds;
}

double as_number(WallTime time) {
  return Seconds(time.time_since_epoch()).count();
}

double number(std::uint64_t count) {
  return static_cast<double>(count);
}

std::string name_of(const std::string& rest) {
  return "kubeproxy_" + rest;
}

}  // namespace

ProxyRecord::ProxyRecord(std::string mode, std::vector<Family> families, Clock::duration patience)
    : mode_(std::move(mode)),
      families_(std::move(families)),
      patience_(patience),
      state_(State{.syncs = Histogram(sync_bounds()),
                   .full_syncs = Histogram(sync_bounds()),
                   .partial_syncs = Histogram(sync_bounds()),
                   .programming = Histogram(programming_bounds()),
                   .conntrack_syncs = Histogram(sync_bounds())}) {}

void ProxyRecord::queued(Clock::time_point now, WallTime at) {
  state_.with([&](State& state) {
    if (!state.oldest_queued) state.oldest_queued = now;
    state.newest_queued = now;
    state.last_queued = at;
  });
}

void ProxyRecord::note_policies(const PlannedService& service, const std::vector<Family>& families,
                                State& state) {
  for (const Family family : families) {
    bool inside = false;
    bool outside = false;
    if (const auto plan = service.plans.find(family); plan != service.plans.end())
      for (const PortPlan& port : plan->second.ports)
        for (const Front& front : port.fronts) {
          inside = inside || front.handling == Handling::kDrop;
          outside = outside || (front.handling == Handling::kExternalLocal && port.local.empty());
        }
    const auto note = [&](std::set<ServiceName>& names, bool is_so) {
      if (is_so)
        names.insert(service.name);
      else
        names.erase(service.name);
    };
    note(state.none_inside[family], inside);
    note(state.none_outside[family], outside);
  }
}

void ProxyRecord::passed(const PassReport& report) {
  state_.with([&](State& state) {
    state.failures += report.failures;
    state.service_changes += report.news.services;
    state.slice_changes += report.news.slices;
    for (const auto& service : report.services) note_policies(service, families_, state);
    state.trouble = report.outcome ? std::string() : report.outcome.error().text();
    if (!report.outcome) return;
    const double took = Seconds(report.ended - report.began).count();
    state.syncs.observe(took);
    (report.full ? state.full_syncs : state.partial_syncs).observe(took);
    state.last_synced = report.at;
    for (const WallTime trigger : report.news.triggers)
      state.programming.observe(std::max(0.0, Seconds(report.at - trigger).count()));
    // What came in while the pass went on may not be in it.
    if (state.newest_queued && *state.newest_queued > report.began)
      state.oldest_queued = state.newest_queued;
    else
      state.oldest_queued = state.newest_queued = std::nullopt;
  });
}

void ProxyRecord::conntrack_cleaned(Clock::duration took, std::size_t removed) {
  state_.with([&](State& state) {
    state.conntrack_syncs.observe(Seconds(took).count());
    state.conntrack_removed += removed;
  });
}

void ProxyRecord::answered(const std::string& path, int code) {
  state_.with([&](State& state) { ++state.answers[path][code]; });
}

ProxyHealth ProxyRecord::health(Clock::time_point now) const {
  return state_.with([&](const State& state) {
    const bool late =
        state.last_synced && state.oldest_queued && now - *state.oldest_queued >= patience_;
    return ProxyHealth{
        .healthy = !late, .last_updated = state.last_synced, .trouble = state.trouble};
  });
}

std::string ProxyRecord::metrics(const BoardNews& waiting) const {
  const auto state = state_.copy();
  MetricsText text;
  text.gauge("weft_build_info", "Which weft this is.").sample(1, {{"version", WEFT_VERSION}});
  add_syncs(state, text);
  add_changes(state, waiting, text);
  add_policies(state, text);
  add_repairs_and_answers(state, text);
  return text.text();
}

template <class Value>
void ProxyRecord::add_each_family(const Value& value, MetricsText& text) const {
  for (const Family family : families_)
    text.sample(value, {{"ip_family", std::string(to_string(family))}});
}

void ProxyRecord::add_syncs(const State& state, MetricsText& text) const {
  const auto histogram = [&](const char* name, const char* help, const Histogram& values) {
    add_each_family(values, text.histogram(name_of(name), help));
  };
  const auto time = [&](const char* name, const char* help, const std::optional<WallTime>& when) {
    add_each_family(when ? as_number(*when) : 0, text.gauge(name_of(name), help));
  };
  histogram("sync_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds", state.syncs);
  histogram("sync_full_proxy_rules_duration_seconds",
            "SyncProxyRules latency in seconds for full resyncs", state.full_syncs);
  histogram("sync_partial_proxy_rules_duration_seconds",
            "SyncProxyRules latency in seconds for partial resyncs", state.partial_syncs);
  histogram("network_programming_duration_seconds",
            "In Cluster Network Programming Latency in seconds", state.programming);
  time("sync_proxy_rules_last_timestamp_seconds",
       "The last time proxy rules were successfully synced", state.last_synced);
  time("sync_proxy_rules_last_queued_timestamp_seconds",
       "The last time a sync of proxy rules was queued", state.last_queued);
  const std::string failures =
      mode_ == "nftables" ? "nftables_sync_failures_total" : "iptables_restore_failures_total";
  add_each_family(number(state.failures), text.counter(name_of("sync_proxy_rules_" + failures),
                                                       "Cumulative proxy sync failures"));
}

void ProxyRecord::add_changes(const State& state, const BoardNews& waiting,
                              MetricsText& text) const {
  const auto kind = [&](const std::string& what, const std::string& title, std::uint64_t pending,
                        std::uint64_t taken) {
    text.gauge(name_of("sync_proxy_rules_" + what + "_changes_pending"),
               "Pending proxy rules " + title + " changes")
        .sample(number(pending));
    text.counter(name_of("sync_proxy_rules_" + what + "_changes_total"),
                 "Cumulative proxy rules " + title + " changes")
        .sample(number(pending + taken));
  };
  kind("endpoint", "Endpoint", waiting.slices, state.slice_changes);
  kind("service", "Service", waiting.services, state.service_changes);
}

void ProxyRecord::add_policies(const State& state, MetricsText& text) const {
  text.gauge(name_of("sync_proxy_rules_no_local_endpoints_total"),
             "Number of services with a Local traffic policy and no endpoints");
  for (const auto& [policy, services] :
       {std::pair("internal", &state.none_inside), std::pair("external", &state.none_outside)})
    for (const auto& [family, names] : *services)
      text.sample(number(names.size()),
                  {{"ip_family", std::string(to_string(family))}, {"traffic_policy", policy}});
}

void ProxyRecord::add_repairs_and_answers(const State& state, MetricsText& text) const {
  text.histogram(name_of("conntrack_reconciler_sync_duration_seconds"),
                 "ReconcileConntrackFlowsLatency latency in seconds")
      .sample(state.conntrack_syncs);
  text.counter(name_of("conntrack_reconciler_deleted_entries_total"),
               "Cumulative conntrack flows deleted by conntrack reconciler")
      .sample(number(state.conntrack_removed));
  for (const std::string path : {"healthz", "livez"}) {
    text.counter(name_of("proxy_" + path + "_total"), "Cumulative proxy " + path + " HTTP status");
    if (const auto codes = state.answers.find(path); codes != state.answers.end())
      for (const auto& [code, count] : codes->second)
        text.sample(number(count), {{"code", std::to_string(code)}});
  }
}

}  // namespace weft::service
