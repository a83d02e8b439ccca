#include "cni/plugins/bridge.h"

#include "cni/interface.h"
#include "cni/ip_forwarding.h"
#include "cni/main_config.h"
#include "cni/main_plugin.h"
#include "cni/masquerade.h"
#include "cni/plugins/bridge_config.h"
#include "cni/plugins/bridge_device.h"
#include "cni/spoof_check.h"

namespace weft::cni {
namespace {

using kernel::Netns;
using kernel::NetnsVisit;
using kernel::Rtnetlink;

constexpr int kContainer = 2;  // its place among the interfaces of the result

/// What the steps of one ADD share.
struct Addition {
  const Call& call;
  const BridgeConfig& config;
  Rtnetlink& host;
  const Netns& container;
  Link bridge = {};
  VethPair veth = {};
  AddResult result = {};
  Rollback rollback = {};
};

ResultInterface as_result(const Link& link) {
  return {.name = link.name, .mac = link.mac.to_string()};
}

CniStatus make_pair(Addition& addition) {
  const BridgeConfig& config = addition.config;
  const std::string& ifname = addition.call.environment.ifname;
  ASSIGN_OR_RETURN(addition.bridge, ensure_bridge(addition.host, config));
  ASSIGN_OR_RETURN(addition.veth, create_veth(addition.host, addition.container,
                                              {.container_name = ifname,
                                               .container_mac = config.mac,
                                               .mtu = config.mtu,
                                               .master = addition.bridge.index}));
  const LinkIndex port = addition.veth.host.index;
  addition.rollback.push([&addition, port] { (void)addition.host.remove(port); });
  RETURN_IF_ERROR(configure_port(addition.host, port, config));
  addition.result.interfaces = {as_result(addition.bridge),
                                as_result(addition.veth.host),
                                {.name = ifname,
                                 .mac = addition.veth.container_mac.to_string(),
                                 .sandbox = addition.call.environment.netns}};
  return {};
}

CniStatus configure_container(Addition& addition) {
  const std::string& ifname = addition.call.environment.ifname;
  ASSIGN_OR_RETURN(
      const InterfacePlan plan,
      plan_interface(addition.result, ifname,
                     {.detect_duplicates = addition.config.enable_dad, .arp_notify = true}));
  ASSIGN_OR_RETURN(const auto visit, NetnsVisit::enter(addition.container));
  ASSIGN_OR_RETURN(auto inside, Rtnetlink::open());
  return configure_interface(inside, ifname, addition.veth.container_index, plan);
}

CniStatus set_up_gateways(Addition& addition, const std::vector<InterfaceAddress>& gateways) {
  if (gateways.empty()) return {};
  Link device = addition.bridge;
  if (addition.config.vlan != 0) {
    ASSIGN_OR_RETURN(device, ensure_vlan_gateway(addition.host, addition.bridge, addition.config));
    addition.result.interfaces.push_back(as_result(device));
  }
  for (const auto& gateway : gateways) {
    const auto set =
        ensure_gateway_address(addition.host, device, gateway, addition.config.force_address);
    if (!set) return because("failed to set bridge addr", set.error());
    RETURN_IF_ERROR(enable_forwarding(addition.host, gateway.address.family()));
  }
  return {};
}

CniStatus masquerade(Addition& addition) {
  if (!addition.config.ip_masq) return {};
  std::vector<InterfaceAddress> addresses;
  for (const auto& ip : addition.result.ips) addresses.push_back(ip.address);
  addition.rollback.push([&addition] { (void)remove_masquerade(attachment_of(addition.call)); });
  return add_masquerade(attachment_of(addition.call), addresses, addition.config.ip_masq_backend);
}

CniStatus add_addresses(Addition& addition) {
  ASSIGN_OR_RETURN(AddResult given,
                   request_addresses(addition.call, addition.config.ipam_type, addition.rollback));
  addition.result.ips = std::move(given.ips);
  addition.result.routes = std::move(given.routes);
  addition.result.dns = std::move(given.dns);
  const auto gateways = complete_with_gateways(addition.result, addition.config, kContainer);
  RETURN_IF_ERROR(configure_container(addition));
  RETURN_IF_ERROR(set_up_gateways(addition, gateways));
  return masquerade(addition);
}

CniStatus check_spoofing(Addition& addition) {
  if (!addition.config.mac_spoof_check) return {};
  addition.rollback.push([&addition] { (void)remove_spoof_check(attachment_of(addition.call)); });
  return add_spoof_check(attachment_of(addition.call), addition.veth.host.name,
                         addition.veth.container_mac);
}

CniStatus set_container_up(Addition& addition) {
  ASSIGN_OR_RETURN(const auto visit, NetnsVisit::enter(addition.container));
  ASSIGN_OR_RETURN(auto inside, Rtnetlink::open());
  RETURN_IF_ERROR(inside.change(addition.veth.container_index, {.up = true}));
  return {};
}

// Ports that joined may have changed the addresses that were read before.
CniStatus read_again(Addition& addition) {
  ASSIGN_OR_RETURN(const Link port, wait_until_up(addition.host, addition.veth.host.index));
  ASSIGN_OR_RETURN(const auto bridge, addition.host.link(addition.bridge.index));
  addition.result.interfaces[1].mac = port.mac.to_string();
  if (bridge) addition.result.interfaces[0].mac = bridge->mac.to_string();
  return {};
}

CniResult<AddResult> add(const Call& call) {
  ASSIGN_OR_RETURN(const BridgeConfig config, read_bridge_config(call));
  ASSIGN_OR_RETURN(const Netns container, open_netns(call.environment.netns));
  ASSIGN_OR_RETURN(Rtnetlink host, Rtnetlink::open());
  Addition addition{.call = call, .config = config, .host = host, .container = container};
  RETURN_IF_ERROR(make_pair(addition));
  RETURN_IF_ERROR(check_spoofing(addition));
  if (!config.ipam_type.empty()) {
    RETURN_IF_ERROR(add_addresses(addition));
  } else if (!config.disable_container_interface) {
    RETURN_IF_ERROR(set_container_up(addition));
  }
  if (!config.disable_container_interface) RETURN_IF_ERROR(read_again(addition));
  if (!config.dns.empty()) addition.result.dns = config.dns;
  addition.rollback.keep();
  return std::move(addition.result);
}

// Every step is tried, whatever became of the one before. The kernel takes its time to let go of
// rules and of devices: what is left of the former it does while the latter go.
CniStatus del(const Call& call) {
  CniStatus unmasqueraded;
  if (may_be_set(call.config, "ipMasq")) unmasqueraded = remove_masquerade(attachment_of(call));
  CniStatus result = remove_device_and_addresses(call);
  const auto next = [&](CniStatus status) {
    if (result) result = std::move(status);
  };
  if (may_be_set(call.config, "macspoofchk")) next(remove_spoof_check(attachment_of(call)));
  next(std::move(unmasqueraded));
  return result;
}

CniStatus status(const Call& call) {
  ASSIGN_OR_RETURN(const BridgeConfig config, read_bridge_config(call));
  ASSIGN_OR_RETURN(Rtnetlink host, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto link, host.link(config.bridge));
  if (link && link->kind != "bridge")
    return refuse(Code::kNotAvailable,
                  in_quotes(config.bridge) + " already exists but is not a bridge");
  return run_ipam(Command::kStatus, call);
}

CniStatus gc(const Call& call) {
  ASSIGN_OR_RETURN(const auto attachments, valid_attachments(call.config));
  const CniStatus addresses = run_ipam(Command::kGc, call);
  RETURN_IF_ERROR(collect_masquerade(call.network, attachments));
  return addresses;
}

}  // namespace

const Plugin kBridge{
    .name = "bridge", .add = add, .del = del, .check = check_bridge, .status = status, .gc = gc};

}  // namespace weft::cni
