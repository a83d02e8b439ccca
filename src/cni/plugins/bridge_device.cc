#include "cni/plugins/bridge_device.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "cni/random_names.h"
#include "kernel/bridge_vlan.h"
#include "kernel/netlink_socket.h"
#include "kernel/sysctl.h"

namespace weft::cni {
namespace {

using kernel::BridgeVlan;
using kernel::Rtnetlink;

constexpr std::chrono::milliseconds kUpLimit{2500};
constexpr std::chrono::microseconds kFirstPause{50};
constexpr std::chrono::microseconds kLongestPause{20'000};

CniResult<Link> create_bridge(Rtnetlink& host, const BridgeConfig& config) {
  ASSIGN_OR_RETURN(const MacAddress mac, random_mac());
  const Status made =
      host.create({.name = config.bridge,
                   .kind = "bridge",
                   .mac = mac,
                   .mtu = config.mtu,
                   .up = true,
                   .bridge = BridgeOptions{.vlan_filtering = config.filters_vlans()}});
  // Another ADD may have been quicker.
  if (!made && made.error().number != EEXIST)
    return because("could not add " + in_quotes(config.bridge), CniError(made.error()));
  ASSIGN_OR_RETURN(auto bridge, host.link(config.bridge));
  if (!bridge) return refuse("could not lookup " + in_quotes(config.bridge) + ": link not found");
  return *std::move(bridge);
}

CniStatus add_vlans(Rtnetlink& host, LinkIndex port, const std::vector<BridgeVlan>& vlans) {
  std::vector<kernel::Request> requests;
  for (const auto& vlan : vlans) requests.push_back(kernel::encode_add_vlan(port, vlan));
  const auto verdicts = host.request_all(requests);
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    if (!verdicts[i])
      return because("failed to set up vlan " + std::to_string(vlans[i].id),
                     CniError(verdicts[i].error()));
  return {};
}

CniStatus remove_vlans(Rtnetlink& host, LinkIndex port) {
  ASSIGN_OR_RETURN(auto socket, kernel::NetlinkSocket::open(NETLINK_ROUTE));
  ASSIGN_OR_RETURN(const auto ports, socket.dump<kernel::PortVlans>(kernel::encode_list_vlans(),
                                                                    kernel::decode_port_vlans));
  std::vector<kernel::Request> requests;
  for (const auto& entry : ports)
    if (entry.port == port)
      for (const auto& vlan : entry.vlans)
        requests.push_back(kernel::encode_delete_vlan(port, vlan.id));
  for (const auto& verdict : host.request_all(requests))
    if (!verdict) return because("failed to remove default vlan", CniError(verdict.error()));
  return {};
}

CniStatus configure_vlans(Rtnetlink& host, LinkIndex port, const BridgeConfig& config) {
  if (config.vlan == 0 && config.vlan_trunk.empty()) return {};
  if (!config.preserve_default_vlan) RETURN_IF_ERROR(remove_vlans(host, port));
  std::vector<BridgeVlan> vlans;
  if (config.vlan != 0) vlans.push_back({.id = config.vlan, .pvid = true, .untagged = true});
  for (const auto id : config.vlan_trunk)
    if (id != config.vlan) vlans.push_back({.id = id});
  return add_vlans(host, port, vlans);
}

bool conflict(const InterfaceAddress& held, const InterfaceAddress& wanted) {
  if (held.address.family() != wanted.address.family()) return false;
  return held.address.is_v4() || held.network().overlaps(wanted.network());
}

}  // namespace

CniResult<Link> ensure_bridge(Rtnetlink& host, const BridgeConfig& config) {
  ASSIGN_OR_RETURN(auto present, host.link(config.bridge));
  Link bridge;
  if (present) {
    bridge = *std::move(present);
  } else {
    ASSIGN_OR_RETURN(bridge, create_bridge(host, config));
  }
  const std::string tried = "failed to create bridge " + in_quotes(config.bridge) + ": ";
  if (bridge.kind != "bridge")
    return refuse(tried + in_quotes(config.bridge) + " already exists but is not a bridge");
  // Routes of this device are ours: no router may add some.
  (void)kernel::write_sysctl("net/ipv6/conf/" + config.bridge + "/accept_ra", "0");
  kernel::LinkChange change;
  if (!bridge.up) change.up = true;
  if (config.promiscuous && !bridge.promiscuous) change.promiscuous = true;
  if (!change.up && !change.promiscuous) return bridge;
  const Status changed = host.change(bridge.index, change);
  if (!changed) return refuse(tried + changed.error().text());
  bridge.promiscuous = bridge.promiscuous || config.promiscuous;
  return bridge;
}

CniStatus configure_port(Rtnetlink& host, LinkIndex port, const BridgeConfig& config) {
  if (config.hairpin || config.port_isolation)
    RETURN_IF_ERROR(
        host.set_port(port, {.hairpin = config.hairpin, .isolated = config.port_isolation}));
  return configure_vlans(host, port, config);
}

CniStatus ensure_gateway_address(Rtnetlink& host, const Link& device,
                                 const InterfaceAddress& address, bool force) {
  ASSIGN_OR_RETURN(const auto held, host.addresses(device.index));
  for (const auto& other : held) {
    if (other.key.address == address) return {};
    if (!conflict(other.key.address, address)) continue;
    if (!force)
      return refuse(Code::kInternal,
                    in_quotes(device.name) + " already has an IP address different from " +
                        address.to_string(),
                    "it has " + other.key.address.to_string() +
                        ", perhaps of a subnet that the node had before; remove it with: ip "
                        "address del " +
                        other.key.address.to_string() + " dev " + device.name);
    const Status removed = kernel::ignore_errno(host.remove(other.key), EADDRNOTAVAIL);
    if (!removed) return CniFailure(removed.error());
  }
  const Status added =
      kernel::ignore_errno(host.add({.key = {.link = device.index, .address = address}}), EEXIST);
  if (!added)
    return because("could not add IP address to " + in_quotes(device.name),
                   CniError(added.error()));
  // Set by us it stays, whichever ports come and go. Read anew: a port may have changed it.
  ASSIGN_OR_RETURN(const auto present, host.link(device.index));
  if (!present) return refuse("could not lookup " + in_quotes(device.name) + ": link not found");
  const Status pinned = host.change(device.index, {.mac = present->mac});
  if (!pinned) return because("could not set bridge's mac", CniError(pinned.error()));
  return {};
}

CniResult<Link> ensure_vlan_gateway(Rtnetlink& host, const Link& bridge,
                                    const BridgeConfig& config) {
  const std::string name = bridge.name + "." + std::to_string(config.vlan);
  ASSIGN_OR_RETURN(auto present, host.link(name));
  if (present) return *std::move(present);
  if (!is_valid_link_name(name))
    return refuse("failed to create vlan gateway " + in_quotes(name) +
                  ": the name of the bridge is too long for it");
  ASSIGN_OR_RETURN(const auto here, kernel::Netns::current());
  ASSIGN_OR_RETURN(
      const VethPair pair,
      create_veth(host, here, {.container_name = name, .mtu = bridge.mtu, .master = bridge.index}));
  BridgeConfig port = config;
  port.hairpin = port.port_isolation = false;
  port.vlan_trunk.clear();
  const auto configured = configure_port(host, pair.host.index, port);
  if (!configured) {
    (void)host.remove(pair.host.index);
    return because("failed to create vlan gateway " + in_quotes(name), configured.error());
  }
  RETURN_IF_ERROR(host.change(pair.container_index, {.up = true}));
  ASSIGN_OR_RETURN(auto made, host.link(name));
  if (!made) return refuse("failed to lookup " + in_quotes(name) + ": link not found");
  return *std::move(made);
}

CniResult<Link> wait_until_up(Rtnetlink& host, LinkIndex port) {
  const auto deadline = std::chrono::steady_clock::now() + kUpLimit;
  for (auto pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
    ASSIGN_OR_RETURN(auto link, host.link(port));
    if (!link) return refuse("bridge port in error state: gone");
    if (link->oper_up) return *std::move(link);
    if (std::chrono::steady_clock::now() >= deadline)
      return refuse("bridge port in error state: down");
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace weft::cni
