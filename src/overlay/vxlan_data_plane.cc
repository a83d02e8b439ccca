#include "overlay/vxlan_data_plane.h"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "kernel/sysctl.h"
#include "overlay/forwarding_pass.h"
#include "overlay/tunnel_device_pass.h"

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

Result<Link> settle_vtep(const Vtep& vtep, kernel::Rtnetlink& rtnetlink, PassReport& report) {
  const std::string object = "link " + vtep.name;
  ASSIGN_OR_RETURN(auto link, rtnetlink.link(vtep.name));
  const VtepEdits edits = diff_vtep(vtep, link);
  if (edits == VtepEdits{}) return *link;
  if (!edits.remove_because.empty()) {
    RETURN_IF_ERROR(kernel::ignore_errno(rtnetlink.remove(link->index), ENODEV));
    report.edit("links", object, "unusable (" + edits.remove_because + ")", "removed");
  }
  if (edits.create) {
    RETURN_IF_ERROR(create_vtep(rtnetlink, {.name = vtep.name,
                                            .kind = "vxlan",
                                            .mac = vtep.mac,
                                            .mtu = vtep.device.mtu,
                                            .up = true,
                                            .vxlan = vtep.options}));
    report.edit("links", object, "missing", "created");
  }
  if (edits.set_mac) {
    RETURN_IF_ERROR(rtnetlink.change(link->index, {.mac = edits.set_mac}));
    report.edit("links", object, "with MAC " + link->mac.to_string(),
                "set to " + vtep.mac.to_string());
  }
  // A router's advertisement must not give a tunnel addresses. Kernels without IPv6 have none.
  (void)kernel::write_sysctl("net/ipv6/conf/" + vtep.name + "/accept_ra", "0");
  ASSIGN_OR_RETURN(link, rtnetlink.link(vtep.name));
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

Result<LinkIndex> VxlanDataPlane::settle_family(Family family, const Pass& pass) {
  const Link& underlay = pass.uplink.link(family);
  const Vtep vtep =
      plan_vtep(backend_, *pass.own.key.subnet(family), identity_.copy().macs.at(family),
                underlay.index, underlay.mtu, pass.uplink.local.at(family));
  ASSIGN_OR_RETURN(const Link link, settle_vtep(vtep, pass.rtnetlink, pass.report));
  const PodNetwork& network = networks_.at(family);
  RETURN_IF_ERROR(
      settle_tunnel_device(link, vtep.device, network.network, pass.rtnetlink, pass.report));
  const auto& peers = pass.peers.of.at(family);
  const auto plan = [&, device = link.index](const std::vector<Route>& node_routes) {
    return plan_vxlan_peers(backend_, device, peers, node_routes);
  };
  pass.report.note(
      settle_forwarding({.network = network, .device = link.index, .uplink = underlay.index}, plan,
                        pass.rtnetlink, pass.report));
  return link.index;
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
