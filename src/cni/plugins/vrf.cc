#include "cni/plugins/vrf.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "cni/interface.h"
#include "cni/plugins/vrf_config.h"
#include "cni/rollback.h"

namespace weft::cni {
namespace {

using kernel::Request;
using kernel::Rtnetlink;

constexpr Versions kVersions = Versions(kAllVersions).subspan(3);  // from 0.3.1 on
constexpr std::chrono::milliseconds kAddressLimit{2500};
constexpr std::chrono::milliseconds kAddressPause{5};

std::uint32_t table_of(const Link& vrf) {
  return vrf.vrf ? vrf.vrf->table : 0;
}

/// Nothing when there is no device of that name.
CniResult<std::optional<Link>> find_vrf(Rtnetlink& inside, const std::string& name) {
  ASSIGN_OR_RETURN(auto link, inside.link(name));
  if (link && link->kind != "vrf") return refuse("Netlink " + name + " is not a VRF");
  return link;
}

CniResult<Link> ensure_vrf(Rtnetlink& inside, const VrfConfig& config, Rollback& rollback) {
  ASSIGN_OR_RETURN(auto present, find_vrf(inside, config.name));
  if (present) {
    const std::uint32_t table = table_of(*present);
    if (config.table != RouteTable{0} && config.table != RouteTable{table})
      return refuse("VRF " + config.name + " already exist with different routing table " +
                    std::to_string(table));
    return *std::move(present);
  }
  ASSIGN_OR_RETURN(const auto links, inside.links());
  const RouteTable table = config.table == RouteTable{0} ? free_vrf_table(links) : config.table;
  const Status made = inside.create({.name = config.name,
                                     .kind = "vrf",
                                     .up = true,
                                     .vrf = VrfOptions{static_cast<std::uint32_t>(table)}});
  if (!made) return because("could not add VRF " + config.name, CniError(made.error()));
  ASSIGN_OR_RETURN(auto link, inside.link(config.name));
  if (!link) return refuse("could not add VRF " + config.name + ": Link not found");
  rollback.push([&inside, index = link->index] { (void)inside.remove(index); });
  return *std::move(link);
}

CniResult<Link> find_free_link(Rtnetlink& inside, const std::string& ifname) {
  ASSIGN_OR_RETURN(auto link, inside.link(ifname));
  if (!link) return refuse("could not get link by name " + ifname);
  if (link->master == LinkIndex::kNone) return *std::move(link);
  ASSIGN_OR_RETURN(const auto master, inside.link(link->master));
  return refuse("interface " + ifname +
                " has already a master set: " + (master ? master->name : "one that is gone"));
}

CniResult<std::vector<Route>> main_routes(Rtnetlink& inside) {
  std::vector<Route> routes;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    ASSIGN_OR_RETURN(const auto some, inside.routes(family));
    routes.insert(routes.end(), some.begin(), some.end());
  }
  return routes;
}

// An address that is new is no source of a route before the kernel has had a look at it.
CniStatus wait_for_addresses(Rtnetlink& inside, const Link& link) {
  const auto deadline = std::chrono::steady_clock::now() + kAddressLimit;
  for (;;) {
    ASSIGN_OR_RETURN(const auto addresses, inside.addresses(link.index));
    const bool tentative =
        std::any_of(addresses.begin(), addresses.end(), [](const LinkAddress& address) {
          return address.tentative && address.scope == RouteScope::kUniverse;
        });
    if (!tentative) return {};
    if (std::chrono::steady_clock::now() >= deadline)
      return refuse("failed getting local/host addresses for " + link.name +
                    ": they are still tentative");
    std::this_thread::sleep_for(kAddressPause);
  }
}

CniStatus restore_addresses(Rtnetlink& inside, const Link& link,
                            const std::vector<LinkAddress>& before) {
  ASSIGN_OR_RETURN(const auto after, inside.addresses(link.index));
  const auto lost = lost_addresses(before, after);
  for (const auto& address : lost) {
    const Status added = kernel::ignore_errno(inside.add(address), EEXIST);
    if (!added)
      return because(
          "could not restore address " + address.key.address.to_string() + " to " + link.name,
          CniError(added.error()));
  }
  return lost.empty() ? CniStatus() : wait_for_addresses(inside, link);
}

CniStatus put_routes(Rtnetlink& inside, const std::vector<Route>& routes) {
  for (const auto& route : routes) {
    const Status put = inside.put(route);
    if (!put)
      return because("could not add route '" + describe(route, "") + "'", CniError(put.error()));
  }
  return {};
}

CniStatus add_interface(Rtnetlink& inside, const Link& vrf, const std::string& ifname,
                        Rollback& rollback) {
  ASSIGN_OR_RETURN(const Link link, find_free_link(inside, ifname));
  ASSIGN_OR_RETURN(const auto addresses, inside.addresses(link.index));
  ASSIGN_OR_RETURN(const auto main, main_routes(inside));
  rollback.push([&inside, link, addresses, main] {
    (void)inside.change(link.index, {.master = LinkIndex::kNone});
    (void)restore_addresses(inside, link, addresses);
    (void)put_routes(inside, moved_routes(main, link.index, RouteTable::kMain));
  });
  const Status enslaved = inside.change(link.index, {.master = vrf.index});
  if (!enslaved)
    return because("could not set vrf " + vrf.name + " as master of " + ifname,
                   CniError(enslaved.error()));
  RETURN_IF_ERROR(restore_addresses(inside, link, addresses));
  return put_routes(inside, moved_routes(main, link.index, RouteTable{table_of(vrf)}));
}

CniStatus add_inside(const Call& call, const VrfConfig& config) {
  ASSIGN_OR_RETURN(const auto container, open_netns(call.environment.netns));
  RETURN_IF_ERROR(lock_netns(container));
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(container));
  ASSIGN_OR_RETURN(auto inside, Rtnetlink::open());
  Rollback rollback;
  ASSIGN_OR_RETURN(const Link vrf, ensure_vrf(inside, config, rollback));
  RETURN_IF_ERROR(add_interface(inside, vrf, call.environment.ifname, rollback));
  rollback.keep();
  return {};
}

CniResult<AddResult> previous(const Call& call) {
  ASSIGN_OR_RETURN(auto result, previous_result(call.config, call.version));
  if (!result) return refuse("missing prevResult from earlier plugin");
  return *std::move(result);
}

CniResult<AddResult> add(const Call& call) {
  ASSIGN_OR_RETURN(const VrfConfig config, read_vrf_config(call));
  ASSIGN_OR_RETURN(AddResult result, previous(call));
  if (const CniStatus added = add_inside(call, config); !added)
    return because("cmdAdd failed", added.error());
  return result;
}

bool has_member(const std::vector<Link>& links, LinkIndex vrf) {
  return std::any_of(links.begin(), links.end(),
                     [vrf](const Link& link) { return link.master == vrf; });
}

CniStatus del(const Call& call) {
  const auto config = read_vrf_config(call);
  ASSIGN_OR_RETURN(const auto container, open_netns_if_there(call.environment.netns));
  if (!container || !config) return {};
  RETURN_IF_ERROR(lock_netns(*container));
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(*container));
  ASSIGN_OR_RETURN(auto inside, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto vrf, inside.link(config->name));
  if (!vrf || vrf->kind != "vrf") return {};
  ASSIGN_OR_RETURN(const auto link, inside.link(call.environment.ifname));
  if (link && link->master == vrf->index)
    RETURN_IF_ERROR(inside.change(link->index, {.master = LinkIndex::kNone}));
  ASSIGN_OR_RETURN(const auto links, inside.links());
  if (!has_member(links, vrf->index))
    RETURN_IF_ERROR(kernel::ignore_errno(inside.remove(vrf->index), ENODEV));
  return {};
}

CniStatus check(const Call& call) {
  ASSIGN_OR_RETURN(const VrfConfig config, read_vrf_config(call));
  RETURN_IF_ERROR(previous(call));
  ASSIGN_OR_RETURN(const auto container, open_netns(call.environment.netns));
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(container));
  ASSIGN_OR_RETURN(auto inside, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto vrf, find_vrf(inside, config.name));
  if (!vrf) return refuse("Link not found: " + config.name);
  if (config.table != RouteTable{0} && RouteTable{table_of(*vrf)} != config.table)
    return refuse("VRF " + config.name + " has another routing table, " +
                  std::to_string(table_of(*vrf)));
  ASSIGN_OR_RETURN(const auto link, inside.link(call.environment.ifname));
  if (!link || link->master != vrf->index)
    return refuse("failed to find " + call.environment.ifname + " associated to vrf " +
                  config.name);
  return {};
}

}  // namespace

const Plugin kVrf{.name = "vrf",
                  .add = add,
                  .del = del,
                  .check = check,
                  .status = nullptr,
                  .gc = nullptr,
                  .versions = kVersions,
                  .kind = Kind::kMeta};

}  // namespace weft::cni
