#include "cni/plugins/ptp.h"

#include <algorithm>
#include <set>

#include "cni/attachments.h"
#include "cni/device_plugin.h"
#include "cni/interface.h"
#include "cni/interface_check.h"
#include "cni/ip_forwarding.h"
#include "cni/main_config.h"
#include "cni/masquerade.h"
#include "cni/plugins/ptp_config.h"

namespace weft::cni {
namespace {

using kernel::Rtnetlink;

constexpr int kContainer = 1;  // its place among the interfaces of the result

CniStatus set_up_host(Rtnetlink& host, const AddResult& result, const Link& link) {
  const PtpHost wanted = plan_ptp_host(result, link.index);
  for (const auto& address : wanted.addresses) {
    const Status added = host.add(address);
    if (!added)
      return because("failed to add IP addr (" + address.key.address.to_string() + ") to veth",
                     CniError(added.error()));
  }
  for (const auto& route : wanted.routes) {
    // A route that an earlier holder of the address has left leads to a device of the past.
    const Status put = host.put(route);
    if (!put) return because("failed to add route on host", CniError(put.error()));
  }
  return {};
}

CniStatus enable_forwarding_for(Rtnetlink& host, const AddResult& result) {
  std::set<Family> families;
  for (const auto& ip : result.ips) families.insert(ip.address.address.family());
  for (const Family family : families) {
    const auto enabled = enable_forwarding(host, family);
    if (!enabled) return because("Could not enable IP forwarding", enabled.error());
  }
  return {};
}

CniStatus masquerade(const Call& call, const PtpConfig& config, const AddResult& result,
                     Rollback& rollback) {
  if (!config.ip_masq) return {};
  std::vector<InterfaceAddress> addresses;
  for (const auto& ip : result.ips) addresses.push_back(ip.address);
  rollback.push([&call] { (void)remove_masquerade(attachment_of(call)); });
  return add_masquerade(attachment_of(call), addresses, config.ip_masq_backend);
}

CniResult<AddResult> add(const Call& call) {
  const std::string& ifname = call.environment.ifname;
  ASSIGN_OR_RETURN(const PtpConfig config, read_ptp_config(call));
  ASSIGN_OR_RETURN(DeviceSite site, DeviceSite::open(call));
  Rollback rollback;
  ASSIGN_OR_RETURN(const VethPair veth,
                   create_veth(site.host, site.container,
                               {.container_name = ifname,
                                .mtu = static_cast<std::uint32_t>(config.device.mtu),
                                .host_detects_duplicates = false}));
  rollback.push([&site, link = veth.host.index] { (void)site.host.remove(link); });
  AddResult result{.interfaces = {{.name = veth.host.name, .mac = veth.host.mac.to_string()},
                                  {.name = ifname,
                                   .mac = veth.container_mac.to_string(),
                                   .sandbox = call.environment.netns}}};
  RETURN_IF_ERROR(
      set_up_device(call, config.device, site, veth.container_index, kContainer, result, rollback));
  RETURN_IF_ERROR(enable_forwarding_for(site.host, result));
  RETURN_IF_ERROR(set_up_host(site.host, result, veth.host));
  RETURN_IF_ERROR(masquerade(call, config, result, rollback));
  rollback.keep();
  return result;
}

CniStatus del(const Call& call) {
  CniStatus result = remove_device_and_addresses(call);
  if (!may_be_set(call.config, "ipMasq")) return result;
  const CniStatus removed = remove_masquerade(attachment_of(call));
  return result ? removed : result;
}

CniResult<DevicePlan> plan_ptp(const Call& call, Command) {
  ASSIGN_OR_RETURN(PtpConfig config, read_ptp_config(call));
  return std::move(config.device);
}

// The host's end is the device of the result that has no sandbox.
CniStatus check_host(const AddResult& result) {
  const auto expected =
      std::find_if(result.interfaces.begin(), result.interfaces.end(),
                   [](const ResultInterface& interface) { return interface.sandbox.empty(); });
  if (expected == result.interfaces.end()) return refuse("Host veth is not in prevResult");
  ASSIGN_OR_RETURN(Rtnetlink host, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto link, host.link(expected->name));
  if (!link) return refuse("Host interface " + expected->name + " not found");
  RETURN_IF_ERROR(check_mac(*link, *expected, "Host interface"));
  for (const auto& wanted : plan_ptp_host(result, link->index).routes) {
    ASSIGN_OR_RETURN(const auto routes, host.routes(wanted.key.destination.family()));
    const bool there = std::any_of(routes.begin(), routes.end(), [&](const Route& route) {
      return route.key.destination == wanted.key.destination && route.link() == link->index;
    });
    if (!there)
      return refuse("Failed to find route for " + wanted.key.destination.to_string() +
                    " on host interface " + link->name);
  }
  return {};
}

CniStatus check(const Call& call) {
  RETURN_IF_ERROR(check_device(call, plan_ptp));
  ASSIGN_OR_RETURN(const AddResult result, required_previous_result(call));
  return check_host(result);
}

CniStatus gc(const Call& call) {
  ASSIGN_OR_RETURN(const auto attachments, valid_attachments(call.config));
  CniStatus addresses = run_ipam(Command::kGc, call);
  RETURN_IF_ERROR(collect_masquerade(call.network, attachments));
  return addresses;
}

CniStatus status(const Call& call) {
  return device_status(call, plan_ptp);
}

}  // namespace

const Plugin kPtp{
    .name = "ptp", .add = add, .del = del, .check = check, .status = status, .gc = gc};

}  // namespace weft::cni
