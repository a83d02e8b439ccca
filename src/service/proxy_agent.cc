#include "service/proxy_agent.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/loop.h"
#include "kernel/monitor.h"
#include "kernel/rtnetlink.h"
#include "service/conntrack_settings.h"
#include "service/flow_repair.h"
#include "service/health_ports.h"
#include "service/kube_leftovers.h"
#include "service/loopback_ports.h"
#include "service/mode_choice.h"
#include "service/node_rules.h"
#include "service/proxy_server.h"
#include "service/proxy_voice.h"
#include "service/service_proxy.h"

namespace weft::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Nothing is polled but ports that another program has.
constexpr milliseconds kPortsAgain{5'000};

std::vector<Family> families_of_node() {
  if (::access("/proc/net/if_inet6", F_OK) == 0) return {Family::kIpv4, Family::kIpv6};
  spdlog::info("the node has no IPv6: services have IPv4 only");
  return {Family::kIpv4};
}

// Node ports are served at loopback addresses unless their addresses are told and are others.
bool serves_loopback(const ProxyConfig& config) {
  const auto& told = config.node_port_addresses;
  const auto is_loopback = [](const std::string& text) {
    const auto range = Prefix::parse(text);
    return range && (range->contains(IpAddress::v4(0x7f000001)) ||
                     range->contains(IpAddress::any(Family::kIpv6).plus(1).value()));
  };
  return config.iptables.localhost_node_ports &&
         (told.empty() || std::any_of(told.begin(), told.end(), is_loopback));
}

// What follows each pass of the proxy, on its thread.
class Aftermath : public ProxyWatcher {
 public:
  /// `first` is called after the first pass that has brought all services into the kernel.
  Aftermath(ProxyRecord& record, ProxyVoice& voice, bool relays, std::function<void()> first)
      : record_(record),
        relays_(relays),
        first_(std::move(first)),
        ports_([this] { return record_.health(ProxyRecord::Clock::now()).healthy; },
               [&voice](const ServiceName& service, const std::string& why) {
                 voice.warn_of_service(service, "FailedToStartServiceHealthcheck", why);
               }) {}

  void passed(const PassReport& report) override {
    record_.passed(report);
    for (const PlannedService& service : report.services)
      ports_.put(service.name, service.health_check);
    if (loopback_) loopback_->put(report.services);
    if (const auto addresses =
            addresses_.with([](auto& waiting) { return std::exchange(waiting, std::nullopt); }))
      ports_.set_addresses(*addresses);
    ports_.settle();
    if (!report.outcome) return;
    if (const auto first = std::exchange(first_, nullptr)) first();
    if (report.services.empty()) return;
    const auto began = steady_clock::now();
    if (const auto removed = relays_ ? flows_.repair(relayed_flows(report.services))
                                     : flows_.repair(report.services))
      record_.conntrack_cleaned(steady_clock::now() - began, *removed);
  }

  /// Before the first pass.
  void serve_loopback(LoopbackPorts ports) { loopback_ = std::move(ports); }
  /// Where health-check ports are opened from the next pass on; empty: everywhere.
  void set_addresses(std::vector<IpAddress> addresses) {
    addresses_.with([&](auto& waiting) { waiting = std::move(addresses); });
  }

 private:
  ProxyRecord& record_;
  const bool relays_;  // userspace mode
  std::function<void()> first_;
  HealthPorts ports_;
  FlowRepair flows_;
  std::optional<LoopbackPorts> loopback_;
  LockGuarded<std::optional<std::vector<IpAddress>>> addresses_;
};

class Agent {
 public:
  Agent(const ProxyAgentOptions& options, std::vector<Family> families, std::string mode,
        kernel::Rtnetlink rtnetlink, const std::vector<std::string>& refused_settings)
      : options_(options),
        config_(options.config),
        families_(std::move(families)),
        mode_name_(std::move(mode)),
        rtnetlink_(std::move(rtnetlink)),
        node_(options.node_name),
        voice_(options.cluster, options.node_name),
        services_(NodeFacts{.name = options.node_name},
                  [this](const ServiceName& service, const std::string& sentence) {
                    voice_.warn_of_service(service, "KubeProxyIncorrectIPVersion", sentence);
                  }),
        record_(mode_name_, families_, 2 * config_.sync_period()),
        aftermath_(record_, voice_, mode_name_ == "userspace",
                   [this] {
                     steward_.nudge();
                     if (options_.ready) options_.ready();
                   }),
        server_({.config = config_,
                 .mode = mode_name_,
                 .families = families_,
                 .socket = options.status_socket,
                 .services = services_,
                 .node = node_,
                 .record = record_}),
        steward_([this] { return steward(); }) {
    voice_.say_starting();
    for (const auto& sentence : refused_settings)
      voice_.warn_of_node("FailedToSetConntrack", sentence);
  }

  Status run(const std::stop_token& stop);

 private:
  Rest steward();
  Status listen();
  Status settle();
  /// What the proxy is to do by all that is known now.
  Result<ProxySettings> settings();
  Status start_proxy(ProxySettings settings);
  void read_services(const NodeFacts& facts);
  void remove_leftovers();
  void source_changed();
  void tell_of_source();
  bool node_is_known() const;

  const ProxyAgentOptions& options_;
  const ProxyConfig& config_;
  const std::vector<Family> families_;
  const std::string mode_name_;
  kernel::Rtnetlink rtnetlink_;
  const steady_clock::time_point began_ = steady_clock::now();
  NodeFeed node_;
  ProxyVoice voice_;
  ServiceFeed services_;
  RangeFeed ranges_;
  ProxyRecord record_;
  Aftermath aftermath_;
  ProxyServer server_;
  Health health_;
  Health listening_;
  Health local_;
  Health following_;
  LockGuarded<Status> fatal_;
  std::stop_source over_;
  // Of the steward's thread:
  std::optional<std::string> zone_;  // by which endpoints were weighed; nothing: none came yet
  bool leftovers_gone_ = false;
  std::optional<ProxySettings> last_;
  // The proxy is nudged by the source, the steward by both, so the proxy outlives them.
  std::unique_ptr<ServiceProxy> started_;
  std::atomic<ServiceProxy*> proxy_ = nullptr;
  Loop steward_;
  std::unique_ptr<ServiceSource> source_;
  std::unique_ptr<kernel::Monitor> monitor_;
};

void Agent::source_changed() {
  record_.queued(ProxyRecord::Clock::now(), std::chrono::system_clock::now());
  if (ServiceProxy* proxy = proxy_) proxy->nudge();
  steward_.nudge();
}

void Agent::tell_of_source() {
  const Status health = source_->health();
  if (!following_.set(health)) return;
  if (health)
    spdlog::info("services are followed again");
  else
    spdlog::warn("services stay as they are: {}", health.error().text());
}

// What endpoints mean by their zone is weighed when they come in: in another one they have to come
// again.
void Agent::read_services(const NodeFacts& facts) {
  if (zone_ == facts.zone) return;
  if (zone_)
    spdlog::info("the node is in zone \"{}\" now: all endpoints are read again", facts.zone);
  zone_ = facts.zone;
  services_.set_node(facts);
  source_->read_services();
}

// Ours is in the kernel by then: no packet finds the node without services.
void Agent::remove_leftovers() {
  if (leftovers_gone_ || !started_ || !started_->ready()) return;
  leftovers_gone_ = true;
  const auto removed = service::remove_leftovers(leftovers_beside(mode_name_));
  if (!removed) spdlog::warn("what another proxy has left: {}", removed.error().text());
  for (const auto& words : removed.value_or(std::vector<std::string>())) spdlog::info("{}", words);
}

// Without a Node of that name the proxy would wait for ever, and the node with it.
bool Agent::node_is_known() const {
  const auto node = node_.node();
  return (node && !node->addresses.empty()) ||
         steady_clock::now() - began_ > options_.node_patience;
}

Status Agent::listen() {
  Status listening = server_.listen();
  if (listening_.set(listening) && !listening) {
    spdlog::error("{}", listening.error().text());
    voice_.warn_of_node("FailedToStartProxierHealthcheck", listening.error().text());
  }
  if (!listening && config_.bind_address_hard_fail) {
    fatal_.with([&](Status& fatal) { fatal = listening; });
    over_.request_stop();
  }
  const Status local = server_.listen_locally();
  if (local_.set(local) && !local) spdlog::warn("{}", local.error().text());
  return listening ? local : listening;
}

Result<ProxySettings> Agent::settings() {
  const OwnNode node = node_.node().value_or(OwnNode{});
  ASSIGN_OR_RETURN(const auto links, rtnetlink_.addresses());
  std::vector<IpAddress> own;
  for (const auto& address : links) own.push_back(address.key.address.address);
  ProxySettings settings{.families = {}};
  settings.plan.node = {
      .name = node_.name(), .zone = node.zone, .addresses = primary_addresses(config_, node)};
  for (const Family family : families_)
    settings.families.push_back(rule_options(
        family,
        {.config = config_, .node = node, .own_addresses = own, .service_ranges = ranges_.all()}));
  return settings;
}

Status Agent::start_proxy(ProxySettings settings) {
  const auto ports = PortRange::parse(config_.port_range);
  if (!ports) return because("portRange", ports.error());
  ModeSettings wishes{.families = settings.families,
                      .iptables = {.localhost_node_ports = config_.iptables.localhost_node_ports},
                      .userspace = {.relay = {.udp_idle = std::chrono::duration_cast<milliseconds>(
                                                  config_.udp_idle_timeout),
                                              .any_port = *ports}}};
  for (const auto& address : settings.plan.node.addresses)
    if (!address.is_loopback()) wishes.userspace.node_addresses.push_back(address);
  ASSIGN_OR_RETURN(auto mode, open_mode(mode_name_, wishes));
  ASSIGN_OR_RETURN(
      started_,
      ServiceProxy::start(
          services_, std::move(mode),
          {.settings = std::move(settings),
           .shortest_rest = std::chrono::duration_cast<milliseconds>(config_.min_sync_period())},
          aftermath_));
  proxy_ = started_.get();
  // What has come in since its first pass has nudged nobody.
  started_->nudge();
  return {};
}

std::vector<IpAddress> health_addresses(const ProxySettings& settings) {
  std::vector<IpAddress> addresses;
  for (const RuleOptions& options : settings.families) {
    if (!options.node_port_addresses) return {};
    addresses.insert(addresses.end(), options.node_port_addresses->begin(),
                     options.node_port_addresses->end());
  }
  return addresses;
}

Status Agent::settle() {
  ASSIGN_OR_RETURN(ProxySettings wanted, settings());
  if (!node_is_known()) return {};
  read_services(wanted.plan.node);
  remove_leftovers();
  if (last_ == wanted) return {};
  aftermath_.set_addresses(health_addresses(wanted));
  server_.set_plan(wanted.plan);
  if (started_)
    started_->set(wanted);
  else
    RETURN_IF_ERROR(start_proxy(wanted));
  last_ = std::move(wanted);
  return {};
}

Rest Agent::steward() {
  tell_of_source();
  const bool listening = listen().has_value();
  const Status settled = settle();
  if (health_.set(settled) && !settled) spdlog::error("{}", settled.error().text());
  if (!settled && !started_) {
    // Nothing is served yet, and whoever starts this will start it again.
    fatal_.with([&](Status& fatal) { fatal = settled; });
    over_.request_stop();
  }
  if (!settled) return {kPortsAgain, milliseconds(200)};
  if (!listening || !started_) return {std::min(kPortsAgain, options_.node_patience)};
  return {std::chrono::hours(1)};
}

Status Agent::run(const std::stop_token& stop) {
  // Userspace mode takes every node port at all addresses.
  if (mode_name_ != "userspace" && serves_loopback(config_)) {
    ASSIGN_OR_RETURN(auto ports, LoopbackPorts::start(families_, {.workers = 1}));
    aftermath_.serve_loopback(std::move(ports));
  }
  const std::stop_callback stopped(stop, [this] { over_.request_stop(); });
  const auto told = [this](const kernel::KernelEvent&) { steward_.nudge(); };
  ASSIGN_OR_RETURN(monitor_, kernel::Monitor::start({kernel::Topic::kAddress}, told));
  source_ = options_.source({.services = services_, .node = node_, .ranges = ranges_},
                            [this] { source_changed(); });
  steward_.start();
  while (!over_.stop_requested()) pause(over_.get_token(), std::chrono::hours(1));
  monitor_.reset();
  steward_.stop();
  source_.reset();
  started_.reset();
  return fatal_.copy();
}

}  // namespace

Status run_proxy_agent(const ProxyAgentOptions& options, const std::stop_token& stop) {
  const auto families = families_of_node();
  ASSIGN_OR_RETURN(std::string mode, mode_name(options.config.mode));
  ASSIGN_OR_RETURN(auto rtnetlink, kernel::Rtnetlink::open());
  const auto refused = apply_conntrack_settings(options.config.conntrack);
  return Agent(options, families, std::move(mode), std::move(rtnetlink), refused).run(stop);
}

Status clean_up_node() {
  ASSIGN_OR_RETURN(const auto removed, remove_leftovers({}));
  for (const auto& word : removed) spdlog::info("{}", word);
  return {};
}

}  // namespace weft::service
