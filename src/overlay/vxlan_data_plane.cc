#include "overlay/vxlan_data_plane.h"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "kernel/sysctl.h"
#include "overlay/forwarding_pass.h"

namespace weft::overlay {
namespace {

// The MAC that a VTEP of this node has, or a new one.
MacAddress choose_mac(kernel::Rtnetlink& rtnetlink, const std::string& vtep) {
  const auto link = rtnetlink.link(vtep);
  if (link && *link && !(*link)->mac.is_zero()) return (*link)->mac;
  std::random_device device;
  return MacAddress::from_random(std::uint64_t{device()} << 32U | device());
}

Status create_vtep(kernel::Rtnetlink& rtnetlink, const kernel::NewLink& link) {
  Status created = rtnetlink.create(link);
  if (!created && created.error().number == EOPNOTSUPP)
    created.error().next =
        "this kernel has no vxlan devices: load the module vxlan, or take the "
        "backend host-gw";
  return created;
}

Result<Link> apply_vtep(const Vtep& vtep, const std::optional<Link>& actual, const VtepEdits& edits,
                        kernel::Rtnetlink& rtnetlink, PassReport& report) {
  const std::string object = "link " + vtep.name;
  if (!edits.recreate_because.empty()) {
    RETURN_IF_ERROR(kernel::ignore_errno(rtnetlink.remove(actual->index), ENODEV));
    report.edit("links", object, "unusable (" + edits.recreate_because + ")", "removed");
  }
  if (edits.create || !edits.recreate_because.empty()) {
    RETURN_IF_ERROR(create_vtep(rtnetlink, {.name = vtep.name,
                                            .kind = "vxlan",
                                            .mac = vtep.mac,
                                            .mtu = vtep.mtu,
                                            .up = true,
                                            .vxlan = vtep.options}));
    report.edit("links", object, "missing", "created");
  } else if (edits.set_mac || edits.set_mtu || edits.set_up) {
    RETURN_IF_ERROR(
        rtnetlink.change(actual->index, {.mac = edits.set_mac,
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
  ASSIGN_OR_RETURN(const auto link, rtnetlink.link(vtep.name));
  if (!link) return fail(vtep.name + " went away again");
  return *link;
}

}  // namespace

Result<std::unique_ptr<DataPlane>> VxlanDataPlane::open(const NetConf& conf,
                                                        const VxlanBackend& backend,
                                                        kernel::Rtnetlink& rtnetlink) {
  Identity identity;
  for (const auto& [family, network] : conf.networks)
    identity.macs[family] = choose_mac(rtnetlink, vtep_name(family, backend.vni));
  return std::unique_ptr<DataPlane>(new VxlanDataPlane(conf, backend, std::move(identity)));
}

std::vector<std::string> VxlanDataPlane::device_names() const {
  std::vector<std::string> names;
  for (const auto& [family, network] : networks_) names.push_back(vtep_name(family, backend_.vni));
  return names;
}

BackendData VxlanDataPlane::publish(const std::optional<Lease>& before) {
  return identity_.with([&](Identity& identity) {
    // What peers have been told outlives the device: a new MAC would leave them with a stale one.
    if (!identity.adopted && before)
      for (const auto& [family, mac] : published_macs(*before))
        if (identity.macs.contains(family)) identity.macs[family] = mac;
    identity.adopted = true;
    BackendData data;
    for (const auto& [family, mac] : identity.macs)
      data[family] = VtepData{.vni = backend_.vni, .mac = mac}.to_json();
    return data;
  });
}

std::uint32_t VxlanDataPlane::pod_mtu(const Uplink& uplink) const {
  std::uint32_t least = std::numeric_limits<std::uint32_t>::max();
  for (const auto& [family, network] : networks_)
    least = std::min(least, (backend_.mtu != 0 ? backend_.mtu : uplink.link(family).mtu) -
                                vxlan_overhead(family));
  return least;
}

Result<LinkIndex> VxlanDataPlane::settle_vtep(Family family, const Pass& pass) {
  const MacAddress mac = identity_.copy().macs.at(family);
  const Link& underlay = pass.uplink.link(family);
  const Vtep vtep = plan_vtep(backend_, *pass.own.key.subnet(family), mac, underlay.index,
                              underlay.mtu, pass.uplink.local.at(family));
  auto& rtnetlink = pass.rtnetlink;
  ASSIGN_OR_RETURN(const auto actual, rtnetlink.link(vtep.name));
  std::vector<LinkAddress> addresses;
  if (actual) {
    ASSIGN_OR_RETURN(addresses, rtnetlink.addresses(actual->index));
  }
  const Prefix& network = networks_.at(family).network;
  const VtepEdits edits = diff_vtep(vtep, network, actual, addresses);
  if (edits.empty()) return actual->index;
  ASSIGN_OR_RETURN(const Link link, apply_vtep(vtep, actual, edits, rtnetlink, pass.report));
  // A router's advertisement must not give a tunnel addresses. Kernels without IPv6 have none.
  (void)kernel::write_sysctl("net/ipv6/conf/" + vtep.name + "/accept_ra", "0");
  for (const auto& address : edits.remove_addresses) {
    RETURN_IF_ERROR(kernel::ignore_errno(
        rtnetlink.remove(LinkAddressKey{.link = link.index, .address = address}), EADDRNOTAVAIL));
    pass.report.edit("addresses", "address " + address.to_string(), "stale", "removed");
  }
  if (edits.add_address || edits.create || !edits.recreate_because.empty()) {
    RETURN_IF_ERROR(kernel::ignore_errno(
        rtnetlink.add({.key = {.link = link.index, .address = vtep.address}}), EEXIST));
    pass.report.edit("addresses", "address " + vtep.address.to_string(), "missing", "put");
  }
  return link.index;
}

Result<LinkIndex> VxlanDataPlane::settle_family(Family family, const Pass& pass) {
  ASSIGN_OR_RETURN(const LinkIndex vtep, settle_vtep(family, pass));
  const auto& peers = pass.peers.of.at(family);
  const auto plan = [&, vtep = vtep](const std::vector<Route>& node_routes) {
    return plan_vxlan_peers(backend_, vtep, peers, node_routes);
  };
  pass.report.note(settle_forwarding(
      {.network = networks_.at(family), .device = vtep, .uplink = pass.uplink.link(family).index},
      plan, pass.rtnetlink, pass.report));
  return vtep;
}

std::vector<LinkIndex> VxlanDataPlane::settle(const Pass& pass) {
  std::vector<LinkIndex> devices;
  for (const auto& [family, network] : networks_) {
    const auto vtep = settle_family(family, pass);
    if (vtep)
      devices.push_back(*vtep);
    else
      pass.report.note(Failure(vtep.error()));
  }
  return devices;
}

}  // namespace weft::overlay
