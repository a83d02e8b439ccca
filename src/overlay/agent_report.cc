#include "overlay/agent_report.h"

#include <utility>

namespace weft::overlay {
namespace {

// From a tenth of a millisecond, which a pass without work takes, to what 5,000 peers take.
const std::vector<double> kPassBounds = {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3};

std::string_view to_string(PassCause cause) {
  switch (cause) {
    case PassCause::kStart:
      return "start";
    case PassCause::kPeers:
      return "peers";
    case PassCause::kDrift:
      break;
  }
  return "drift";
}

double as_number(UnixSeconds time) {
  return static_cast<double>(time.time_since_epoch().count());
}

Json peers_json(const AgentReport& report, UnixSeconds now) {
  Json peers = Json::array();
  if (report.leases == nullptr) return peers;
  for (const auto& [key, lease] : report.leases->leases) {
    if (report.lease && key == report.lease->key) continue;
    Json addresses = Json::array();
    for (const Family family : {Family::kIpv4, Family::kIpv6})
      if (const auto& address = lease.attributes.public_address(family))
        addresses.push_back(address->to_string());
    const auto seen = report.history.entries().find(key);
    const auto age = seen == report.history.entries().end() ? std::chrono::seconds(0)
                                                            : now - seen->second.changed;
    peers.push_back(
        {{"subnet", key.describe()}, {"addresses", addresses}, {"changed_s", age.count()}});
  }
  return peers;
}

Json lease_json(const AgentReport& report, UnixSeconds now) {
  if (report.lease == nullptr) return nullptr;
  Json lease = {{"subnet", report.lease->key.describe()}, {"expires_s", nullptr}};
  if (report.lease->expiry) lease["expires_s"] = (*report.lease->expiry - now).count();
  return lease;
}

}  // namespace

std::string_view to_string(AgentState state) {
  switch (state) {
    case AgentState::kReady:
      return "ready";
    case AgentState::kWaitingForConfig:
      return "waiting-for-config";
    case AgentState::kWaitingForLease:
      return "waiting-for-lease";
    case AgentState::kStoreUnreachable:
      return "store-unreachable";
    case AgentState::kError:
      break;
  }
  return "error";
}

void PeerHistory::update(const LeaseView& view, UnixSeconds now) {
  std::erase_if(entries_, [&](const auto& entry) { return !view.leases.contains(entry.first); });
  for (const auto& [key, lease] : view.leases) {
    const auto [entry, is_new] = entries_.try_emplace(key);
    if (!is_new && entry->second.version == lease.version) continue;
    entry->second = {.version = lease.version, .changed = now};
  }
}

void AgentReport::set_state(AgentState next, std::string why, UnixSeconds now) {
  if (next != state || why != reason || since == UnixSeconds{}) since = now;
  state = next;
  reason = std::move(why);
}

void AgentReport::count_pass(PassCause cause, std::chrono::duration<double> took,
                             const std::map<std::string, std::size_t>& edits_by_kind) {
  passes.try_emplace(cause, kPassBounds).first->second.observe(took.count());
  if (cause != PassCause::kDrift) return;
  for (const auto& [kind, count] : edits_by_kind) repaired[kind] += count;
}

std::string metrics_text(const AgentReport& report, const std::vector<BackendCounter>& counters) {
  MetricsText text;
  text.gauge("weft_build_info", "Which weft this is.").sample(1, {{"version", WEFT_VERSION}});
  text.gauge("weft_overlay_ready", "1 when this node's rules and peers are in the kernel.")
      .sample(report.state == AgentState::kReady ? 1 : 0);
  text.gauge("weft_overlay_failures", "Objects that the last pass could not bring to their plan.")
      .sample(static_cast<double>(report.failures.size()));
  text.gauge("weft_overlay_refusals", "Leases of other nodes that are wrong or in doubt.")
      .sample(static_cast<double>(report.refusals.size()));
  text.gauge("weft_overlay_peers", "Peers in the kernel.");
  for (const auto& [family, count] : report.peers)
    text.sample(static_cast<double>(count), {{"family", std::string(to_string(family))}});
  text.gauge("weft_overlay_leases", "Leases that the store holds, as last seen.")
      .sample(report.leases ? static_cast<double>(report.leases->leases.size()) : 0);
  text.gauge("weft_overlay_leases_broken", "Leases that could not be read.")
      .sample(report.leases ? static_cast<double>(report.leases->broken.size()) : 0);
  if (report.lease && report.lease->expiry)
    text.gauge("weft_overlay_lease_expiry_timestamp_seconds", "When this node's lease ends.")
        .sample(as_number(*report.lease->expiry));
  text.gauge("weft_overlay_store_up", "1 while the store can be read.")
      .sample(report.store_trouble.empty() ? 1 : 0);
  text.counter("weft_overlay_store_errors_total", "Troubles with the store since the start.")
      .sample(static_cast<double>(report.store_errors));
  text.histogram("weft_overlay_reconcile_duration_seconds", "Passes of the repair loop, by cause.");
  for (const auto& [cause, seconds] : report.passes)
    text.sample(seconds, {{"cause", std::string(to_string(cause))}});
  text.counter("weft_overlay_drift_repaired_total",
               "Objects put back after somebody else changed them.");
  for (const auto& [kind, count] : report.repaired)
    text.sample(static_cast<double>(count), {{"kind", kind}});
  std::string family;
  for (const auto& counter : counters) {
    if (std::exchange(family, counter.name) != counter.name)
      text.counter("weft_overlay_" + counter.name + "_total", "Of the backend's data path.");
    text.sample(static_cast<double>(counter.value), counter.labels);
  }
  return text.text();
}

Json to_json(const AgentReport& report, UnixSeconds now) {
  Json drift = Json::object();
  for (const auto& [kind, count] : report.repaired) drift[kind] = count;
  return {{"version", WEFT_VERSION},
          {"state", to_string(report.state)},
          {"reason", report.reason},
          {"for_s", (now - report.since).count()},
          {"backend", report.backend},
          {"uplink", report.uplink},
          {"store",
           {{"name", report.store},
            {"trouble", report.store_trouble},
            {"errors", report.store_errors}}},
          {"lease", lease_json(report, now)},
          {"peers", peers_json(report, now)},
          {"drift_repaired", drift},
          {"failures", report.failures},
          {"refusals", report.refusals}};
}

}  // namespace weft::overlay
