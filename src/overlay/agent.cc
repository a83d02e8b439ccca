#include "overlay/agent.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/log.h"
#include "base/memory.h"
#include "cluster/subnet_env.h"
#include "kernel/iptables.h"
#include "kernel/legacy_watch.h"
#include "kernel/rtnetlink.h"
#include "overlay/agent_start.h"
#include "overlay/node_keeper.h"
#include "overlay/node_plan.h"
#include "overlay/quarrel.h"
#include "overlay/routed_elsewhere.h"

namespace weft::overlay {
namespace {

using std::chrono::milliseconds;

// Without any event everything is read anew this often: a safety net, not a method.
constexpr milliseconds kAtRest = std::chrono::seconds(60);
// After the first pass that succeeds: by then the watch is open and the Node is patched.
constexpr milliseconds kSettled = std::chrono::seconds(1);

template <class T>
bool contains(const std::vector<T>& values, const T& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// What a status has room for.
std::string first_and_count(const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  const std::size_t others = lines.size() - 1;
  return lines.front() + (others == 0 ? "" : " (and " + std::to_string(others) + " more)");
}

// Makes the keeper of the node's lease.
using MakeKeeper = std::function<std::unique_ptr<LeaseKeeper>(const NetConf&, LeaseKeeper::Hooks)>;

class Agent {
 public:
  Agent(LeaseSource& store, const MakeKeeper& make_keeper, const AgentOptions& options,
        NetConf conf, UplinkKeeper& uplink, std::unique_ptr<DataPlane> data_plane,
        const std::optional<LeaseKey>& previous, AgentVoice& voice)
      : store_(store),
        options_(options),
        conf_(std::move(conf)),
        previous_(previous),
        uplink_(uplink),
        data_plane_(std::move(data_plane)),
        voice_(voice),
        keeper_(
            make_keeper(conf_, {.facts = [this] { return facts(); },
                                .attributes = [this](const auto& own) { return attributes(own); },
                                .own_node = [this](const Node& node) { heed(node); },
                                .changed = [this] { repair_loop_.nudge(); }})) {}

  Status run(const std::stop_token& stop);

 private:
  AllocationFacts facts();
  LeaseAttributes attributes(const std::optional<Lease>& own);
  /// What the cluster says of this node may choose another uplink.
  void heed(const Node& node);
  milliseconds lease_pass();
  Rest repair_pass();
  milliseconds rest_in_a_quarrel();
  void tell_pass(const std::shared_ptr<const Lease>& own,
                 const std::shared_ptr<const LeaseView>& view, const Reconciler::Outcome& outcome,
                 std::chrono::duration<double> took);
  void tell_store();
  void tell_status(bool ready, const std::vector<std::string>& failures,
                   const std::vector<std::string>& refusals = {});
  void on_kernel_event(const kernel::KernelEvent& event);
  /// Somebody may have changed what is ours: the repair loop looks.
  void look_at_kernel();
  void on_rules_event(const std::string& table);
  Status watch_legacy_iptables();
  bool concerns_us(const kernel::KernelEvent& event);

  LeaseSource& store_;
  const AgentOptions& options_;
  const NetConf conf_;
  const std::optional<LeaseKey> previous_;  // what subnet.env said at the start
  UplinkKeeper& uplink_;
  const std::unique_ptr<DataPlane> data_plane_;
  AgentVoice& voice_;
  const std::unique_ptr<LeaseKeeper> keeper_;
  std::unique_ptr<Reconciler> reconciler_;  // of the repair loop
  unsigned failures_ = 0;                   // of the repair loop
  Quarrel quarrel_;                         // of the repair loop
  std::atomic<bool> kernel_changed_{false};
  std::atomic<bool> rules_dirty_{true};
  std::atomic<bool> others_rules_dirty_{true};
  bool was_ready_ = false;  // of the repair loop
  std::atomic<bool> peers_refused_{false};
  LockGuarded<std::vector<LinkIndex>> watched_links_;
  Loop repair_loop_{[this] { return repair_pass(); }};
  Loop lease_loop_{[this] { return lease_pass(); }};
  std::unique_ptr<LeaseWatch> watch_;
  std::unique_ptr<kernel::Monitor> monitor_;
  std::unique_ptr<kernel::LegacyWatch> legacy_watch_;
};

AllocationFacts Agent::facts() {
  AllocationFacts facts{.public_addresses = uplink_.current().public_addresses,
                        .previous = previous_,
                        .routed_elsewhere = {}};
  auto rtnetlink = kernel::Rtnetlink::open();
  std::vector<Family> families;
  for (const auto& [family, network] : conf_.networks) families.push_back(family);
  // Without the routes the choice is only less careful.
  if (rtnetlink)
    if (const auto network = read_node_network(*rtnetlink, families))
      facts.routed_elsewhere =
          routed_elsewhere(*network, conf_, data_plane_->device_names(), previous_);
  return facts;
}

LeaseAttributes Agent::attributes(const std::optional<Lease>& own) {
  LeaseAttributes attributes{.backend_type = std::string(backend_type(conf_.backend))};
  for (const auto& [family, address] : uplink_.current().public_addresses)
    attributes.public_address(family) = address;
  for (auto& [family, data] : data_plane_->publish(own)) attributes.data(family) = data;
  return attributes;
}

void Agent::heed(const Node& node) {
  if (uplink_.ask_for(with_hints_of_node(options_.node.uplink, node))) repair_loop_.nudge();
}

milliseconds Agent::lease_pass() {
  const auto view = watch_->view();
  const Status reached = watch_->health();
  // The watch is reading all leases already, and nudges when it has them or cannot have them.
  if (!keeper_->lease() && !reached && reached.error().number == EAGAIN) return kAtRest;
  const auto delay = keeper_->step(view, std::chrono::system_clock::now());
  trim_heap();
  return delay;
}

Rest Agent::repair_pass() {
  const auto own = keeper_->lease();
  auto view = watch_->view();
  tell_store();
  if (!own || !view) {
    tell_status(false, {});
    return kAtRest;
  }
  // When the kernel and the store have changed at once, the kernel is repaired by the leases known
  // before: what somebody broke is told apart from what the store brings, which comes next.
  const auto planned = reconciler_->planned_view();
  if (kernel_changed_.exchange(false) && planned && planned != view) {
    view = planned;
    repair_loop_.nudge();
  }
  const Reconciler::FilterChanges changes{.ours = rules_dirty_.exchange(false),
                                          .others = others_rules_dirty_.exchange(false)};
  voice_.pass_begins();
  const auto began = std::chrono::steady_clock::now();
  const auto outcome = reconciler_->pass(*own, view, changes);
  voice_.pass_ends();
  tell_pass(own, view, outcome, std::chrono::steady_clock::now() - began);
  watched_links_.with([&](auto& links) { links = reconciler_->watched_links(); });
  if (outcome.uplink_changed) {
    watch_->reconnect();
    lease_loop_.nudge();
  }
  // A rule that could not be set is tried again with the rest.
  if (!outcome.failures.empty()) rules_dirty_ = true;
  failures_ = outcome.failures.empty() ? 0 : failures_ + 1;
  // An obstacle is told like a failure, but nothing is gained by trying again.
  const bool hindered = outcome.failures.empty() && !outcome.obstacles.empty();
  tell_status(outcome.ready, hindered ? outcome.obstacles : outcome.failures, outcome.refusals);
  peers_refused_ = !outcome.refusals.empty();
  trim_heap();
  // Nothing to do: a long rest begins. What the start, a watch opened anew or a patch has run
  // (TLS most of all) need not stay in memory for it.
  if (outcome.edits.empty()) unmap_code();
  if (outcome.ready && !std::exchange(was_ready_, true)) {
    keeper_->network_is_up();
    lease_loop_.nudge();
    return kSettled;
  }
  const bool repaired = !outcome.edits.empty() && outcome.cause == PassCause::kDrift;
  return {backoff(failures_, kAtRest), repaired ? rest_in_a_quarrel() : milliseconds(0)};
}

milliseconds Agent::rest_in_a_quarrel() {
  const auto verdict = quarrel_.repaired(std::chrono::steady_clock::now());
  if (verdict == Quarrel::Verdict::kOpens)
    spdlog::warn(
        "what was put back is undone again and again: another program takes these objects for "
        "its own; repairing once a second until it stops");
  return Quarrel::rest(verdict);
}

void Agent::tell_pass(const std::shared_ptr<const Lease>& own,
                      const std::shared_ptr<const LeaseView>& view,
                      const Reconciler::Outcome& outcome, std::chrono::duration<double> took) {
  const std::string uplink = describe(uplink_.current());
  const UnixSeconds now = unix_now();
  voice_.update([&](AgentReport& report) {
    report.uplink = uplink;
    report.lease = own;
    report.peers = outcome.peers;
    report.failures = outcome.failures;
    report.failures.insert(report.failures.end(), outcome.obstacles.begin(),
                           outcome.obstacles.end());
    report.refusals = outcome.refusals;
    if (report.leases != view) report.history.update(*view, now);
    report.leases = view;
    report.count_pass(outcome.cause, took, outcome.edits);
  });
}

// The watch says whether the view is current, the keeper whether the last call succeeded.
void Agent::tell_store() {
  const Status reached = watch_->health();
  const Status called = keeper_->health();
  voice_.update([&](AgentReport& report) {
    const std::string trouble = !reached  ? reached.error().text()
                                : !called ? called.error().text()
                                          : "";
    if (!trouble.empty() && trouble != report.store_trouble) ++report.store_errors;
    report.store_trouble = trouble;
  });
}

void Agent::tell_status(bool ready, const std::vector<std::string>& failures,
                        const std::vector<std::string>& refusals) {
  const Status lease = keeper_->health();
  if (ready && failures.empty())
    voice_.set(AgentState::kReady,
               lease ? first_and_count(refusals) : "out of date: " + lease.error().text());
  else if (ready)
    voice_.set(AgentState::kError, failures.front());
  else if (!lease)
    voice_.set(AgentState::kStoreUnreachable, lease.error().text());
  else if (!failures.empty())
    voice_.set(AgentState::kError, failures.front());
  else
    voice_.set(AgentState::kWaitingForLease, "no subnet lease yet from " + store_.describe());
}

bool Agent::concerns_us(const kernel::KernelEvent& event) {
  // Whatever route of this node stood in a peer's way may be the one that went.
  if (event.topic == kernel::Topic::kRoute && peers_refused_) return true;
  const auto devices = data_plane_->device_names();
  if (!event.name.empty() && (uplink_.has_link(event.name) || contains(devices, event.name)))
    return true;
  return watched_links_.with([&](const auto& links) { return contains(links, event.link); });
}

void Agent::look_at_kernel() {
  kernel_changed_ = true;
  repair_loop_.nudge();
}

void Agent::on_kernel_event(const kernel::KernelEvent& event) {
  using kernel::Topic;
  switch (event.topic) {
    case Topic::kLost:
      rules_dirty_ = true;
      others_rules_dirty_ = true;
      look_at_kernel();
      return;
    case Topic::kNftables:
      on_rules_event(event.name);
      return;
    case Topic::kLink:
    case Topic::kAddress:
    case Topic::kRoute:
    case Topic::kNeighbour:
    case Topic::kRule:
      if (concerns_us(event)) look_at_kernel();
      return;
  }
}

void Agent::on_rules_event(const std::string& table) {
  // It changes with every service, and drops nothing that is for a pod.
  if (table == "kube-proxy") return;
  const bool own = table.rfind("flannel-", 0) == 0;
  // The names of iptables-nft's tables, and likely ones of anybody's.
  if (own || table == "nat" || table == "filter") rules_dirty_ = true;
  if (!own) others_rules_dirty_ = true;
  look_at_kernel();
}

// iptables-legacy sends no netlink event; its lock file tells that somebody has used it, now or for
// the first time.
Status Agent::watch_legacy_iptables() {
  auto watch = kernel::LegacyWatch::start(kernel::LegacyWatch::kLockFile, [this] {
    rules_dirty_ = true;
    look_at_kernel();
  });
  if (watch) {
    legacy_watch_ = std::move(*watch);
    return {};
  }
  bool used = false;
  for (const auto& [family, network] : conf_.networks) {
    const auto programs = reconciler_->iptables(family);
    used =
        used || kernel::legacy_iptables_in_use(family) ||
        (programs && (*programs)->version().variant == kernel::IptablesVersion::Variant::kLegacy);
  }
  // Without the lock file there is nothing to miss where nobody uses it.
  return used ? Status(Failure(watch.error())) : Status();
}

Status Agent::run(const std::stop_token& stop) {
  ASSIGN_OR_RETURN(reconciler_,
                   Reconciler::open(conf_, options_.node, previous_, uplink_, *data_plane_));
  ASSIGN_OR_RETURN(const std::uint32_t own_port, reconciler_->port());
  using kernel::Topic;
  // The kernel is listened to before it is read: nothing that changes in between is missed.
  ASSIGN_OR_RETURN(monitor_, kernel::Monitor::start(
                                 {Topic::kLink, Topic::kAddress, Topic::kRoute, Topic::kNeighbour,
                                  Topic::kNftables},
                                 [this](const auto& event) { on_kernel_event(event); }, own_port));
  watch_ = store_.watch([this] {
    repair_loop_.nudge();
    lease_loop_.nudge();
  });
  // While the store is read: they take their time to start. What is missing, the first pass says.
  for (const auto& [family, network] : conf_.networks) (void)reconciler_->iptables(family);
  RETURN_IF_ERROR(watch_legacy_iptables());
  voice_.update([this](AgentReport& report) {
    report.backend = backend_name(conf_.backend);
    report.store = store_.describe();
  });
  voice_.count_with([this] { return data_plane_->counters(); });
  repair_loop_.start();
  lease_loop_.start();
  while (pause(stop, std::chrono::hours(24))) {
  }
  // The loops look at the watchers, and the watchers may nudge a stopped loop.
  lease_loop_.stop();
  repair_loop_.stop();
  voice_.count_with({});
  watch_.reset();
  monitor_.reset();
  legacy_watch_.reset();
  return {};
}

AgentVoice::Options voice_of(const AgentOptions& options) {
  return {.subnet_file = options.node.subnet_file,
          .health = options.health,
          .manager = options.manager,
          .ready = options.ready};
}

// From the configuration on, which is there now. `asked` is of the uplink.
Status run(LeaseSource& store, const MakeKeeper& make_keeper, const AgentOptions& options,
           const UplinkOptions& asked, NetConf conf, AgentVoice& voice,
           const std::stop_token& stop) {
  std::vector<Family> families;
  for (const auto& [family, network] : conf.networks) families.push_back(family);
  ASSIGN_OR_RETURN(kernel::Rtnetlink rtnetlink, kernel::Rtnetlink::open());
  UplinkKeeper uplink(asked, families);
  RETURN_IF_ERROR(uplink.choose(rtnetlink));
  ASSIGN_OR_RETURN(auto data_plane, open_data_plane(conf, rtnetlink));
  std::optional<LeaseKey> previous;
  if (const auto text = read_file(options.node.subnet_file))
    if (const auto env = SubnetEnv::parse(*text)) previous = env->lease_key();
  Agent agent(store, make_keeper, options, std::move(conf), uplink, std::move(data_plane), previous,
              voice);
  return agent.run(stop);
}

}  // namespace

Status run_agent(LeaseStore& store, const AgentOptions& options, const std::stop_token& stop) {
  AgentVoice voice(voice_of(options));
  ASSIGN_OR_RETURN(auto conf, wait_for_config(store, voice, stop));
  if (!conf) return {};
  const MakeKeeper keeper = [&](const NetConf& the_conf, LeaseKeeper::Hooks hooks) {
    return std::make_unique<AllocatingKeeper>(store, the_conf, options.lease, std::move(hooks));
  };
  return run(store, keeper, options, options.node.uplink, *std::move(conf), voice, stop);
}

Status run_agent(KubeStore& store, const AgentOptions& options, const std::stop_token& stop) {
  AgentVoice voice(voice_of(options));
  ASSIGN_OR_RETURN(auto conf, wait_for_config(store, voice, stop));
  if (!conf) return {};
  const auto node = wait_for_own_node(store, voice, stop);
  if (node == nullptr) return {};
  conf->networks = cut_as_node(conf->networks, *node);
  const MakeKeeper keeper = [&](const NetConf& the_conf, LeaseKeeper::Hooks hooks) {
    return std::make_unique<NodeKeeper>(store, the_conf, options.declare_available, stop,
                                        std::move(hooks));
  };
  return run(store, keeper, options, with_hints_of_node(options.node.uplink, *node),
             *std::move(conf), voice, stop);
}

}  // namespace weft::overlay
