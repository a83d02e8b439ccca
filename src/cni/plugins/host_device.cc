#include "cni/plugins/host_device.h"

#include "cni/device_plugin.h"
#include "cni/interface.h"
#include "cni/plugins/host_device_lookup.h"

namespace weft::cni {
namespace {

using kernel::Netns;
using kernel::Rtnetlink;

// Back to the host under the name that the alias tells. A device without an alias was not lent by
// us and stays where it is.
CniStatus bring_home(Rtnetlink& host, Rtnetlink& inside, const std::string& ifname, bool up) {
  ASSIGN_OR_RETURN(const auto away, inside.link(ifname));
  if (!away || away->alias.empty()) return {};
  const std::string& name = away->alias;
  ASSIGN_OR_RETURN(const auto taken, host.link(name));
  if (taken)
    return refuse(
        Code::kInternal,
        "failed to rename device " + in_quotes(ifname) + " to " + in_quotes(name) + ": file exists",
        "another device of the host has taken the name; rename that one");
  ASSIGN_OR_RETURN(const Netns home, Netns::current());
  RETURN_IF_ERROR(inside.change(away->index, {.up = false}));
  const Status moved = inside.change(away->index, {.name = name, .netns_fd = home.fd()});
  if (!moved)
    return because("failed to move " + in_quotes(ifname) + " to hostNS", CniError(moved.error()));
  ASSIGN_OR_RETURN(const auto back, host.link(name));
  if (!back) return refuse("failed to find " + in_quotes(name) + " in hostNS");
  kernel::LinkChange rest{.alias = std::string()};
  if (up) rest.up = true;
  RETURN_IF_ERROR(host.change(back->index, rest));
  return {};
}

CniFailure not_moved(const Link& device, const std::string& why) {
  return refuse("failed to move link " + in_quotes(device.name) + " to container NS: " + why);
}

// The device inside. It may have got another number.
CniResult<Link> lend(DeviceSite& site, const Link& device, const std::string& ifname) {
  ASSIGN_OR_RETURN(const auto taken, site.inside.link(ifname));
  if (taken) return not_moved(device, in_quotes(ifname) + " is there: file exists");
  RETURN_IF_ERROR(site.host.change(device.index, {.alias = device.name}));
  const Status moved =
      site.host.change(device.index, {.name = ifname, .netns_fd = site.container.fd()});
  ASSIGN_OR_RETURN(const auto lent, site.inside.link(ifname));
  if (moved && lent) return *lent;
  // The kernel moves first and renames then.
  (void)bring_home(site.host, site.inside, device.name, device.up);
  if (const auto stayed = site.host.link(device.name); stayed && *stayed)
    (void)site.host.change((*stayed)->index, {.alias = device.alias});
  return not_moved(device, moved ? "it is gone" : moved.error().what);
}

// Without a device there is nothing to configure: a driver of user space does what it likes.
CniResult<AddResult> add_addresses_alone(const Call& call, const DevicePlan& plan,
                                         AddResult result) {
  if (plan.ipam_type.empty()) return result;
  Rollback rollback;
  ASSIGN_OR_RETURN(AddResult given, request_addresses(call, plan.ipam_type, rollback));
  for (auto& ip : given.ips) ip.interface = 0;
  given.interfaces = std::move(result.interfaces);
  given.dns = plan.dns.value_or(Dns{});
  rollback.keep();
  return given;
}

CniResult<AddResult> add(const Call& call) {
  const std::string& ifname = call.environment.ifname;
  ASSIGN_OR_RETURN(const HostDeviceConfig config, read_host_device_config(call));
  ASSIGN_OR_RETURN(DeviceSite site, DeviceSite::open(call));
  ASSIGN_OR_RETURN(const auto device, find_host_device(site.host, config));
  AddResult result{.interfaces = {{.name = ifname, .sandbox = call.environment.netns}}};
  if (!device) return add_addresses_alone(call, config.plan, std::move(result));
  Rollback rollback;
  ASSIGN_OR_RETURN(const Link lent, lend(site, *device, ifname));
  rollback.push(
      [&site, &ifname, up = device->up] { (void)bring_home(site.host, site.inside, ifname, up); });
  result.interfaces[0].mac = lent.mac.to_string();
  RETURN_IF_ERROR(set_up_device(call, config.plan, site, lent.index, 0, result, rollback));
  rollback.keep();
  return result;
}

CniStatus bring_home_from(const Call& call) {
  ASSIGN_OR_RETURN(const auto container, open_netns_if_there(call.environment.netns));
  if (!container) return {};
  ASSIGN_OR_RETURN(DeviceSite site, DeviceSite::open(call));
  return bring_home(site.host, site.inside, call.environment.ifname, false);
}

// The address is given back also when the device cannot come home: it is down by then.
CniStatus del(const Call& call) {
  const CniStatus home = bring_home_from(call);
  const CniStatus released = run_ipam(Command::kDel, call);
  return home ? released : home;
}

CniResult<DevicePlan> plan_host_device(const Call& call, Command) {
  ASSIGN_OR_RETURN(HostDeviceConfig config, read_host_device_config(call));
  return std::move(config.plan);
}

CniStatus check(const Call& call) {
  ASSIGN_OR_RETURN(const HostDeviceConfig config, read_host_device_config(call));
  ASSIGN_OR_RETURN(const bool in_user_space, has_user_space_driver(config));
  if (!in_user_space) return check_device(call, plan_host_device);
  RETURN_IF_ERROR(run_ipam(Command::kCheck, call));
  RETURN_IF_ERROR(required_previous_result(call));
  return {};
}

CniStatus status(const Call& call) {
  return device_status(call, plan_host_device);
}

}  // namespace

const Plugin kHostDevice{.name = "host-device",
                         .add = add,
                         .del = del,
                         .check = check,
                         .status = status,
                         .gc = collect_addresses};

}  // namespace weft::cni
