#include "overlay/reconciler.h"

#include <algorithm>
#include <utility>

#include "base/files.h"
#include "cluster/subnet_env.h"
#include "kernel/forwarding.h"
#include "kernel/sysctl.h"
#include "overlay/host_gw_plan.h"
#include "overlay/route_ownership.h"

namespace weft::overlay {
namespace {

std::vector<Family> families_of(const NetConf& conf) {
  std::vector<Family> families;
  for (const auto& [family, network] : conf.networks) families.push_back(family);
  return families;
}

const std::optional<Prefix>& subnet_of(const LeaseKey& key, Family family) {
  return family == Family::kIpv4 ? key.ipv4 : key.ipv6;
}

std::string_view kind_of(const std::string& object) {
  if (object.rfind("route", 0) == 0) return "routes";
  if (object.rfind("neighbour", 0) == 0) return "neighbours";
  return "forwarding entries";
}

void tell(const std::vector<kernel::EditOutcome>& outcomes, PassReport& report) {
  using Action = kernel::EditOutcome::Action;
  for (const auto& outcome : outcomes) {
    if (!outcome.status) {
      report.failure(outcome.object + ": " + outcome.status.error().text());
      continue;
    }
    const bool put = outcome.action == Action::kPut;
    const bool replaced = outcome.action == Action::kReplaced;
    report.edit(kind_of(outcome.object), outcome.object,
                put        ? "missing"
                : replaced ? "different"
                           : "stale",
                put        ? "put"
                : replaced ? "replaced"
                           : "removed");
  }
}

std::uint32_t pod_mtu(const NetConf& conf, const Uplink& uplink) {
  const auto* vxlan = std::get_if<VxlanBackend>(&conf.backend);
  if (vxlan == nullptr) return uplink.link.mtu;
  std::uint32_t overhead = 0;
  for (const auto& [family, network] : conf.networks)
    overhead = std::max(overhead, vxlan_overhead(family));
  return (vxlan->mtu != 0 ? vxlan->mtu : uplink.link.mtu) - overhead;
}

}  // namespace

Result<std::unique_ptr<Reconciler>> Reconciler::open(const NetConf& conf, Options options,
                                                     LockGuarded<NodeIdentity>& identity) {
  ASSIGN_OR_RETURN(kernel::Rtnetlink rtnetlink, kernel::Rtnetlink::open());
  return std::unique_ptr<Reconciler>(
      new Reconciler(conf, std::move(options), identity, std::move(rtnetlink)));
}

// The uplink was chosen at the start; its number, its addresses and its MTU may change since.
Status Reconciler::refresh_uplink(bool& changed) {
  const Uplink chosen = identity_.copy().uplink;
  ASSIGN_OR_RETURN(const auto link, rtnetlink_.link(chosen.link.name));
  if (!link)
    return fail("the uplink " + chosen.link.name + " is gone",
                "bring it back; the overlay waits for it");
  NodeNetwork network{.links = {*link}, .addresses = {}, .routes = {}};
  ASSIGN_OR_RETURN(network.addresses, rtnetlink_.addresses(link->index));
  UplinkOptions options = options_.uplink;
  // An address that was chosen stays while it is there, whatever others come beside it.
  const auto& preferred = chosen.local.begin()->second;
  const bool stays = std::any_of(
      network.addresses.begin(), network.addresses.end(),
      [&](const LinkAddress& address) { return address.key.address.address == preferred; });
  options.interfaces = {stays ? preferred.to_string() : link->name};
  ASSIGN_OR_RETURN(uplink_, choose_uplink(options, network, families_of(conf_)));
  changed = uplink_.local != chosen.local || uplink_.public_addresses != chosen.public_addresses;
  if (changed)
    spdlog::warn("uplink {}: its address is now {}: publishing it", link->name,
                 uplink_.local.begin()->second.to_string());
  identity_.with([&](NodeIdentity& identity) { identity.uplink = uplink_; });
  return {};
}

Status Reconciler::create_vtep(const kernel::NewLink& link) {
  Status created = rtnetlink_.create(link);
  if (!created && created.error().number == EOPNOTSUPP)
    created.error().next =
        "this kernel has no vxlan devices: load the module vxlan, or take the "
        "backend host-gw";
  return created;
}

Result<Link> Reconciler::apply_vtep(const Vtep& vtep, const std::optional<Link>& actual,
                                    const VtepEdits& edits, PassReport& report) {
  const std::string object = "link " + vtep.name;
  if (!edits.recreate_because.empty()) {
    RETURN_IF_ERROR(kernel::ignore_errno(rtnetlink_.remove(actual->index), ENODEV));
    report.edit("links", object, "unusable (" + edits.recreate_because + ")", "removed");
  }
  if (edits.create || !edits.recreate_because.empty()) {
    RETURN_IF_ERROR(create_vtep({.name = vtep.name,
                                 .kind = "vxlan",
                                 .mac = vtep.mac,
                                 .mtu = vtep.mtu,
                                 .up = true,
                                 .vxlan = vtep.options}));
    report.edit("links", object, "missing", "created");
  } else if (edits.set_mac || edits.set_mtu || edits.set_up) {
    RETURN_IF_ERROR(rtnetlink_.change(actual->index,
                                      {.mac = edits.set_mac,
                                       .mtu = edits.set_mtu,
                                       .up = edits.set_up ? std::optional(true) : std::nullopt}));
    if (edits.set_mac)
      report.edit("links", object, "with MAC " + actual->mac.to_string(),
                  "set to " + vtep.mac.to_string());
    if (edits.set_mtu)
      report.edit("links", object, "with MTU " + std::to_string(actual->mtu),
                  "set to " + std::to_string(vtep.mtu));
    if (edits.set_up) report.edit("links", object, "down", "set up");
  }
  ASSIGN_OR_RETURN(const auto link, rtnetlink_.link(vtep.name));
  if (!link) return fail(vtep.name + " went away again");
  return *link;
}

Result<LinkIndex> Reconciler::settle_vtep(Family family, const Prefix& subnet, PassReport& report) {
  const auto& backend = std::get<VxlanBackend>(conf_.backend);
  const MacAddress mac = identity_.copy().vtep_macs.at(family);
  const Vtep vtep = plan_vtep(backend, subnet, mac, uplink_.link.index, uplink_.link.mtu,
                              uplink_.local.at(family));
  ASSIGN_OR_RETURN(const auto actual, rtnetlink_.link(vtep.name));
  std::vector<LinkAddress> addresses;
  if (actual) {
    ASSIGN_OR_RETURN(addresses, rtnetlink_.addresses(actual->index));
  }
  const Prefix& network = conf_.networks.at(family).network;
  const VtepEdits edits = diff_vtep(vtep, network, actual, addresses);
  if (edits.empty()) return actual->index;
  ASSIGN_OR_RETURN(const Link link, apply_vtep(vtep, actual, edits, report));
  // A router's advertisement must not give a tunnel addresses. Kernels without IPv6 have none.
  (void)kernel::write_sysctl("net/ipv6/conf/" + vtep.name + "/accept_ra", "0");
  for (const auto& address : edits.remove_addresses) {
    RETURN_IF_ERROR(kernel::ignore_errno(
        rtnetlink_.remove(LinkAddressKey{.link = link.index, .address = address}), EADDRNOTAVAIL));
    report.edit("addresses", "address " + address.to_string(), "stale", "removed");
  }
  if (edits.add_address || edits.create || !edits.recreate_because.empty()) {
    RETURN_IF_ERROR(kernel::ignore_errno(
        rtnetlink_.add({.key = {.link = link.index, .address = vtep.address}}), EEXIST));
    report.edit("addresses", "address " + vtep.address.to_string(), "missing", "put");
  }
  return link.index;
}

Result<ForwardingTables> Reconciler::read_tables(Family family, LinkIndex vtep) {
  ForwardingTables tables;
  if (vtep == LinkIndex::kNone) return tables;
  ASSIGN_OR_RETURN(const auto neighbours, rtnetlink_.neighbours(family, vtep));
  for (const auto& neighbour : neighbours)
    // What the kernel resolved or failed to resolve by itself is not ours, and a put replaces it.
    if (neighbour.state == NeighbourState::kPermanent) tables.neighbours[neighbour.key] = neighbour;
  ASSIGN_OR_RETURN(const auto entries, rtnetlink_.fdb(vtep));
  for (const auto& entry : entries)
    if (entry.permanent) tables.fdb[entry.key] = entry;
  return tables;
}

Status Reconciler::settle_forwarding(const PodNetwork& network, LinkIndex vtep,
                                     const std::vector<Peer>& peers, PassReport& report) {
  const Family family = network.network.family();
  ASSIGN_OR_RETURN(const auto routes, rtnetlink_.routes(family));
  const RouteOwnership owned = sort_routes(routes, network, vtep, uplink_.link.index);
  ForwardingTables desired;
  if (const auto* vxlan = std::get_if<VxlanBackend>(&conf_.backend)) {
    desired = plan_vxlan_peers(*vxlan, vtep, peers, owned.foreign);
  } else {
    HostGwPlan plan = plan_host_gw(uplink_.link.index, peers, owned.foreign);
    for (auto& line : plan.unreachable) report.failure(std::move(line));
    desired = std::move(plan.tables);
  }
  for (auto& line : yield_to_foreign(desired.routes, owned.foreign))
    report.failure(std::move(line));
  ASSIGN_OR_RETURN(ForwardingTables actual, read_tables(family, vtep));
  actual.routes = owned.ours;
  tell(kernel::apply(rtnetlink_, diff(desired, actual), actual), report);
  return {};
}

Status Reconciler::settle_family(Family family, const Prefix& subnet,
                                 const std::vector<Peer>& peers, PassReport& report) {
  LinkIndex vtep = LinkIndex::kNone;
  if (std::holds_alternative<VxlanBackend>(conf_.backend)) {
    ASSIGN_OR_RETURN(vtep, settle_vtep(family, subnet, report));
    watched_links_.push_back(vtep);
  }
  return settle_forwarding(conf_.networks.at(family), vtep, peers, report);
}

Status Reconciler::write_subnet_env(const Lease& own) {
  SubnetEnv env{.mtu = pod_mtu(conf_, uplink_), .masquerade = options_.masquerade};
  for (const auto& [family, network] : conf_.networks) {
    env.networks[family] = {network.network};
    env.subnets[family] = *subnet_of(own.key, family);
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

Reconciler::Outcome Reconciler::pass(const Lease& own, const std::shared_ptr<const LeaseView>& view,
                                     bool rules_dirty) {
  Outcome outcome;
  PassReport report;
  const auto note = [&](const Status& status) {
    if (!status) report.failure(status.error().text());
  };
  const Status uplink = refresh_uplink(outcome.identity_changed);
  note(uplink);
  if (uplink) {
    watched_links_ = {uplink_.link.index};
    const Peers peers = find_peers(conf_, *view, own.key);
    for (const auto& line : peers.refused) report.failure(line);
    for (const auto& [family, network] : conf_.networks)
      note(settle_family(family, *subnet_of(own.key, family), peers.of.at(family), report));
    const Status written = write_subnet_env(own);
    note(written);
    outcome.ready = written.has_value();
  }
  if (rules_dirty)
    for (const auto& [family, network] : conf_.networks)
      note(rules_.settle({.network = network.network,
                          .subnet = *subnet_of(own.key, family),
                          .masquerade = options_.masquerade,
                          .forward = options_.forward_rules,
                          .random_fully = options_.random_fully},
                         report));
  const PassCause cause = first_pass_             ? PassCause::kStart
                          : view != planned_view_ ? PassCause::kPeers
                                                  : PassCause::kDrift;
  if (const std::string line = report.line(cause); !line.empty()) spdlog::info("{}", line);
  for (const auto& failure : report.failures())
    if (quiet_.allows(failure)) spdlog::error("{}", failure);
  first_pass_ = false;
  planned_view_ = view;
  outcome.failures = report.failures();
  outcome.edited = report.edited();
  return outcome;
}

}  // namespace weft::overlay
