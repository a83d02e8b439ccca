#include "cni/device_plugin.h"

#include "cni/attachments.h"
#include "cni/interface.h"
#include "cni/interface_check.h"
#include "cni/random_names.h"

namespace weft::cni {
namespace {

using kernel::NetnsVisit;
using kernel::Rtnetlink;

CniResult<Link> find_parent(Rtnetlink& rtnetlink, const std::string& name) {
  if (!name.empty()) {
    ASSIGN_OR_RETURN(auto link, rtnetlink.link(name));
    if (!link) return refuse("failed to lookup master " + in_quotes(name) + ": Link not found");
    return *std::move(link);
  }
  ASSIGN_OR_RETURN(const auto ipv4, rtnetlink.routes(Family::kIpv4));
  ASSIGN_OR_RETURN(const auto ipv6, rtnetlink.routes(Family::kIpv6));
  const auto index = default_route_link(ipv4, ipv6);
  if (!index) return refuse("no default route interface found");
  ASSIGN_OR_RETURN(auto link, rtnetlink.link(*index));
  if (!link) return refuse("no default route interface found: it has just gone");
  return *std::move(link);
}

CniFailure not_created(const std::string& kind, CniError error) {
  return because("failed to create " + kind, std::move(error));
}

// Kernels before 6.14 look for the new name among the devices of the sender, too, where an
// "eth0" is usual. There it takes two steps.
CniStatus create_and_rename(DeviceSite& site, kernel::NewLink device) {
  const std::string name = device.name;
  ASSIGN_OR_RETURN(device.name, random_veth_name());
  const Status created = site.host.create(device);
  if (!created) return not_created(device.kind, created.error());
  ASSIGN_OR_RETURN(const auto made, site.inside.link(device.name));
  if (!made) return refuse("failed to find the new " + device.kind + " " + device.name);
  const Status renamed = site.inside.change(made->index, {.name = name});
  if (renamed) return {};
  (void)site.inside.remove(made->index);
  return because("failed to rename " + device.kind + " to " + in_quotes(name),
                 CniError(renamed.error()));
}

CniStatus create(DeviceSite& site, const kernel::NewLink& device, bool from_inside) {
  const Status created = (from_inside ? site.inside : site.host).create(device);
  if (created) return {};
  if (created.error().number != EEXIST || from_inside)
    return not_created(device.kind, created.error());
  ASSIGN_OR_RETURN(const auto taken, site.inside.link(device.name));
  if (taken) return not_created(device.kind, created.error());
  return create_and_rename(site, device);
}

// Whether the device is still on the master that the configuration names.
CniStatus check_parent(const DevicePlan& plan, const kernel::Netns& container,
                       const Link& present) {
  if (!plan.parent || plan.parent->name.empty()) return {};
  std::optional<NetnsVisit> visit;
  if (plan.parent->in_container) {
    ASSIGN_OR_RETURN(auto inside, NetnsVisit::enter(container));
    visit.emplace(std::move(inside));
  }
  ASSIGN_OR_RETURN(Rtnetlink rtnetlink, Rtnetlink::open());
  ASSIGN_OR_RETURN(const Link parent, find_parent(rtnetlink, plan.parent->name));
  if (parent.index == present.peer) return {};
  return refuse("Container interface " + present.name + " is not on the master " +
                plan.parent->name);
}

CniStatus check_bridge(const std::string& bridge, const kernel::Netns& container,
                       const Link& present) {
  if (bridge.empty()) return {};
  ASSIGN_OR_RETURN(const auto visit, NetnsVisit::enter(container));
  ASSIGN_OR_RETURN(Rtnetlink inside, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto link, inside.link(bridge));
  if (link && link->index == present.master) return {};
  return refuse("Container interface " + present.name + " is not a port of the bridge " + bridge);
}

CniResult<AddResult> addresses_for(const Call& call, const DevicePlan& plan, Rollback& rollback) {
  if (plan.given) return *plan.given;
  if (plan.ipam_type.empty() && !plan.needs_addresses) return AddResult{};
  return request_addresses(call, plan.ipam_type, rollback);
}

}  // namespace

CniResult<DeviceSite> DeviceSite::open(const Call& call) {
  ASSIGN_OR_RETURN(kernel::Netns container, open_netns(call.environment.netns));
  ASSIGN_OR_RETURN(Rtnetlink host, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto visit, NetnsVisit::enter(container));
  ASSIGN_OR_RETURN(Rtnetlink inside, Rtnetlink::open());
  return DeviceSite{std::move(container), std::move(host), std::move(inside)};
}

CniStatus make_device(const Call& call, DeviceSite& site, const DevicePlan& plan) {
  kernel::NewLink device{.name = call.environment.ifname,
                         .kind = plan.device.kind,
                         .mac = plan.mac,
                         .macvlan = plan.device.macvlan,
                         .ipvlan = plan.device.ipvlan,
                         .vlan = plan.device.vlan};
  const bool from_inside = !plan.parent || plan.parent->in_container;
  std::optional<Link> parent;
  if (plan.parent) {
    ASSIGN_OR_RETURN(parent, find_parent(from_inside ? site.inside : site.host, plan.parent->name));
    device.parent = parent->index;
  }
  RETURN_IF_ERROR(check_mtu(plan, parent ? &*parent : nullptr));
  device.mtu = static_cast<std::uint32_t>(plan.mtu);
  if (!from_inside) device.netns_fd = site.container.fd();
  if (!device.mac && plan.has_mac_of_its_own) {
    ASSIGN_OR_RETURN(device.mac, random_mac());
  }
  return create(site, device, from_inside);
}

CniStatus set_up_device(const Call& call, const DevicePlan& plan, DeviceSite& site, LinkIndex link,
                        int interface, AddResult& result, Rollback& rollback) {
  ASSIGN_OR_RETURN(AddResult given, addresses_for(call, plan, rollback));
  for (auto& ip : given.ips) ip.interface = interface;
  result.ips = std::move(given.ips);
  result.routes = std::move(given.routes);
  result.dns = plan.dns.value_or(std::move(given.dns));
  const std::string& ifname = call.environment.ifname;
  if (result.ips.empty()) {
    const Status raised = site.inside.change(link, {.up = true});
    if (!raised)
      return because("failed to set " + in_quotes(ifname) + " UP", CniError(raised.error()));
    return {};
  }
  ASSIGN_OR_RETURN(const InterfacePlan wanted, plan_interface(result, ifname, plan.interface));
  ASSIGN_OR_RETURN(const auto visit, NetnsVisit::enter(site.container));
  return configure_interface(site.inside, ifname, link, wanted);
}

CniResult<AddResult> add_device(const Call& call, PlanDevice plan_device, MakeDevice make) {
  const std::string& ifname = call.environment.ifname;
  ASSIGN_OR_RETURN(const DevicePlan plan, plan_device(call, Command::kAdd));
  ASSIGN_OR_RETURN(DeviceSite site, DeviceSite::open(call));
  Rollback rollback;
  RETURN_IF_ERROR(make(call, site, plan));
  ASSIGN_OR_RETURN(const auto made, site.inside.link(ifname));
  if (!made) return refuse("failed to refetch " + plan.device.kind + " " + in_quotes(ifname));
  rollback.push([&site, link = made->index] { (void)site.inside.remove(link); });
  AddResult result{
      .interfaces = {
          {.name = ifname, .mac = made->mac.to_string(), .sandbox = call.environment.netns}}};
  RETURN_IF_ERROR(set_up_device(call, plan, site, made->index, 0, result, rollback));
  rollback.keep();
  return result;
}

CniStatus check_device(const Call& call, PlanDevice plan_device) {
  const std::string& ifname = call.environment.ifname;
  ASSIGN_OR_RETURN(const DevicePlan plan, plan_device(call, Command::kCheck));
  ASSIGN_OR_RETURN(const auto container, open_netns(call.environment.netns));
  RETURN_IF_ERROR(run_ipam(Command::kCheck, call));
  ASSIGN_OR_RETURN(const AddResult result, required_previous_result(call));
  ASSIGN_OR_RETURN(const ResultInterface* expected,
                   find_in_sandbox(result, ifname, call.environment.netns));
  ASSIGN_OR_RETURN(const InterfaceState state, read_interface(container, ifname));
  RETURN_IF_ERROR(compare_device(plan, state.link));
  RETURN_IF_ERROR(check_mac(state.link, *expected, "Container interface"));
  RETURN_IF_ERROR(check_parent(plan, container, state.link));
  RETURN_IF_ERROR(check_bridge(plan.bridge, container, state.link));
  return check_interface(state, result, ifname);
}

CniStatus device_status(const Call& call, PlanDevice plan_device) {
  ASSIGN_OR_RETURN(const DevicePlan plan, plan_device(call, Command::kStatus));
  if (plan.parent && !plan.parent->name.empty() && !plan.parent->in_container) {
    ASSIGN_OR_RETURN(Rtnetlink host, Rtnetlink::open());
    const auto parent = find_parent(host, plan.parent->name);
    if (!parent) return refuse(Code::kNotAvailable, parent.error().message);
  }
  return run_ipam(Command::kStatus, call);
}

CniStatus collect_addresses(const Call& call) {
  RETURN_IF_ERROR(valid_attachments(call.config));
  return run_ipam(Command::kGc, call);
}

}  // namespace weft::cni
