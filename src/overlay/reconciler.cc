#include "overlay/reconciler.h"

#include <algorithm>
#include <utility>

#include "base/files.h"
#include "cluster/subnet_env.h"
#include "kernel/nftables.h"
#include "overlay/blackhole_plan.h"
#include "overlay/forward_obstacles.h"
#include "overlay/forwarding_pass.h"
#include "overlay/peers.h"
#include "overlay/stale_devices.h"

namespace weft::overlay {
Result<std::unique_ptr<Reconciler>> Reconciler::open(const NetConf& conf, Options options,
                                                     const std::optional<LeaseKey>& former,
                                                     UplinkKeeper& uplink, DataPlane& data_plane) {
  ASSIGN_OR_RETURN(kernel::Rtnetlink rtnetlink, kernel::Rtnetlink::open());
  return std::unique_ptr<Reconciler>(
      new Reconciler(conf, std::move(options), former, uplink, data_plane, std::move(rtnetlink)));
}

std::map<Family, std::size_t> Reconciler::settle_data_plane(const Lease& own, const LeaseView& view,
                                                            PassReport& report) {
  Peers peers;
  if (const auto rules = data_plane_.peer_rules())
    peers = find_peers(conf_.networks, *rules, view, own);
  for (const auto& line : peers.refused) report.refusal(line);
  watched_links_ = data_plane_.settle({.own = own,
                                       .leases = view,
                                       .peers = peers,
                                       .uplink = uplink_,
                                       .rtnetlink = rtnetlink_,
                                       .report = report});
  for (const auto& [family, link] : uplink_.links) watched_links_.push_back(link.index);
  std::map<Family, std::size_t> counts;
  for (const auto& [family, of_family] : peers.of) counts[family] = of_family.size();
  return counts;
}

Status Reconciler::write_subnet_env(const Lease& own) {
  SubnetEnv env{.mtu = data_plane_.pod_mtu(uplink_), .masquerade = options_.masquerade};
  for (const auto& [family, network] : conf_.networks) {
    env.networks[family] = {network.network};
    env.subnets[family] = *own.key.subnet(family);
  }
  const std::string text = env.to_text();
  if (const auto present = read_file(options_.subnet_file); present && *present == text) return {};
  const auto slash = options_.subnet_file.rfind('/');
  if (slash != std::string::npos && slash != 0)
    RETURN_IF_ERROR(make_directories(options_.subnet_file.substr(0, slash)));
  RETURN_IF_ERROR(write_file_atomically(options_.subnet_file, text, 0644));
  spdlog::info("{}: written", options_.subnet_file);
  return {};
}

Status Reconciler::settle_blackhole(Family family, const Lease& own, PassReport& report) {
  ASSIGN_OR_RETURN(const auto blackholes,
                   rtnetlink_.routes(family, RouteTable::kMain, RouteType::kBlackhole));
  const auto wanted = options_.blackhole_route ? own.key.subnet(family) : std::nullopt;
  auto plan = plan_blackhole(blackholes, conf_.networks.at(family), wanted);
  apply({.routes = std::move(plan.desired), .neighbours = {}, .fdb = {}},
        {.routes = std::move(plan.actual), .neighbours = {}, .fdb = {}}, rtnetlink_, report);
  return {};
}

Status Reconciler::remove_stale_devices(PassReport& report) {
  ASSIGN_OR_RETURN(const auto links, rtnetlink_.links());
  ASSIGN_OR_RETURN(const auto addresses, rtnetlink_.addresses());
  for (const auto& link : stale_devices(conf_, data_plane_.device_names(), links, addresses)) {
    RETURN_IF_ERROR(kernel::ignore_errno(rtnetlink_.remove(link.index), ENODEV));
    report.edit("links", "link " + link.name, "of another backend", "removed");
  }
  return {};
}

void Reconciler::settle_rules(const Lease& own, PassReport& report) {
  for (const auto& [family, network] : conf_.networks)
    report.note(rules_.settle({.network = network.network,
                               .subnet = *own.key.subnet(family),
                               .former = former_ ? former_->subnet(family) : std::nullopt,
                               .masquerade = options_.masquerade,
                               .forward = options_.forward_rules,
                               .random_fully = options_.random_fully},
                              report));
}

void Reconciler::find_obstacles(const Lease& own, PassReport& report) {
  obstacles_.clear();
  // Without nf_tables in the kernel nobody has a table there.
  auto nftables = kernel::Nftables::open();
  if (!options_.forward_rules || !nftables) return;
  const auto devices = data_plane_.device_names();
  const Uplink uplink = uplink_keeper_.current();
  const auto node = read_node_network(rtnetlink_, {});
  if (!node) {
    report.note(Failure(node.error()));
    return;
  }
  for (const auto& [family, network] : conf_.networks) {
    const std::string device = devices.empty() ? uplink.link(family).name : devices.front();
    const Prefix subnet = *own.key.subnet(family);
    auto found = forward_obstacles(*nftables, network.network, subnet, device,
                                   pod_device(subnet, devices, *node));
    if (!found)
      report.note(Failure(found.error()));
    else
      obstacles_.insert(obstacles_.end(), found->begin(), found->end());
  }
}

void Reconciler::log_refusals(const std::vector<std::string>& refusals) {
  for (const auto& line : refusals)
    if (!refused_.contains(line) && quiet_.allows(line)) spdlog::warn("{}", line);
  refused_ = {refusals.begin(), refusals.end()};
}

Reconciler::Outcome Reconciler::pass(const Lease& own, const std::shared_ptr<const LeaseView>& view,
                                     const FilterChanges& filter) {
  Outcome outcome;
  PassReport report;
  // Before subnet.env, which lets pods start: their first packets are masqueraded too.
  if (filter.ours) settle_rules(own, report);
  const auto refreshed = uplink_keeper_.refresh(rtnetlink_);
  if (!refreshed) report.note(Failure(refreshed.error()));
  if (refreshed) {
    outcome.uplink_changed = *refreshed;
    uplink_ = uplink_keeper_.current();
    for (const auto& entry : conf_.networks)
      report.note(settle_blackhole(entry.first, own, report));
    if (first_pass_) report.note(remove_stale_devices(report));
    outcome.peers = settle_data_plane(own, *view, report);
    const Status written = write_subnet_env(own);
    report.note(written);
    outcome.ready = written.has_value();
  }
  if (filter.others) find_obstacles(own, report);
  outcome.cause = first_pass_             ? PassCause::kStart
                  : view != planned_view_ ? PassCause::kPeers
                                          : PassCause::kDrift;
  if (const std::string line = report.line(outcome.cause); !line.empty()) spdlog::info("{}", line);
  for (const auto& failure : report.failures())
    if (quiet_.allows(failure)) spdlog::error("{}", failure);
  log_refusals(report.refusals());
  if (filter.others)
    for (const auto& obstacle : obstacles_)
      if (quiet_.allows(obstacle)) spdlog::error("{}", obstacle);
  first_pass_ = false;
  planned_view_ = view;
  outcome.failures = report.failures();
  outcome.refusals = report.refusals();
  outcome.obstacles = obstacles_;
  outcome.edits = report.edits_by_kind();
  return outcome;
}

}  // namespace weft::overlay
