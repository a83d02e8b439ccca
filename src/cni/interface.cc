#include "cni/interface.h"

#include <chrono>
#include <thread>

#include "base/file_lock.h"
#include "cni/random_names.h"
#include "kernel/sysctl.h"

namespace weft::cni {
namespace {

using kernel::Request;
using kernel::Rtnetlink;

constexpr int kNameTries = 10;
constexpr std::chrono::seconds kDadLimit{5};
constexpr std::chrono::milliseconds kDadPause{10};
constexpr std::chrono::seconds kLockPatience{10};

// EEXIST does not say which of the two names is taken.
CniStatus try_create(Rtnetlink& host, const kernel::NewLink& pair, bool random_name, bool& again) {
  again = false;
  const Status status = host.create(pair);
  if (status) return {};
  const std::string& name = pair.peer->name;
  if (status.error().number != EEXIST)
    return because("failed to make veth pair", CniError(status.error()));
  ASSIGN_OR_RETURN(const auto taken, host.link(pair.name));
  again = taken && random_name;
  if (again) return {};
  return refuse("container veth name (" + in_quotes(name) + ") peer provided (" +
                in_quotes(pair.name) + ") already exists");
}

CniStatus apply_settings(const std::vector<InterfacePlan::Setting>& settings,
                         const std::string& ifname) {
  for (const auto& setting : settings) {
    const Status status = kernel::write_sysctl(setting.name, setting.value);
    // A kernel without IPv6 will say so when the address comes.
    if (!status && setting.needed && status.error().number != ENOENT)
      return refuse("failed to enable IPv6 for interface " + in_quotes(ifname) + ": " +
                    status.error().text());
  }
  return {};
}

std::string shown(const Route& route, const std::string& ifname) {
  const auto gateway = route.gateway();
  return "'" + route.key.destination.to_string() +
         (gateway ? " via " + gateway->to_string() : std::string()) + " dev " + ifname + "'";
}

CniStatus wait_for_dad(Rtnetlink& rtnetlink, LinkIndex link, const std::string& ifname) {
  const auto deadline = std::chrono::steady_clock::now() + kDadLimit;
  for (;;) {
    ASSIGN_OR_RETURN(const auto addresses, rtnetlink.addresses(link));
    bool tentative = false;
    for (const auto& address : addresses) {
      if (address.dad_failed)
        return refuse("link " + ifname + " has address " + address.key.address.to_string() +
                      " that somebody else uses (duplicate address detection failed)");
      tentative = tentative || address.tentative;
    }
    if (!tentative) return {};
    if (std::chrono::steady_clock::now() >= deadline)
      return refuse("the addresses of " + ifname +
                    " are still tentative: duplicate address detection did not end");
    std::this_thread::sleep_for(kDadPause);
  }
}

}  // namespace

CniResult<kernel::Netns> open_netns(const std::string& path) {
  auto netns = kernel::Netns::open(path);
  if (!netns)
    return because("failed to open netns " + in_quotes(path), CniError(std::move(netns).error()));
  return *std::move(netns);
}

CniStatus lock_netns(const kernel::Netns& container) {
  const Status locked = lock_file(container.fd(), kLockPatience);
  if (locked) return {};
  if (locked.error().number == ETIMEDOUT)
    return refuse(Code::kTryAgainLater, "another call for this namespace does not end");
  return because("locking the namespace", CniError(locked.error()));
}

CniResult<std::optional<kernel::Netns>> open_netns_if_there(const std::string& path) {
  if (path.empty()) return std::optional<kernel::Netns>();
  auto netns = kernel::Netns::open(path);
  if (netns) return std::optional<kernel::Netns>(*std::move(netns));
  const int number = netns.error().number;
  // Without a number: the path is there, but it is no namespace.
  if (number == ENOENT || number == ENOTDIR || number == 0) return std::optional<kernel::Netns>();
  return because("failed to open netns " + in_quotes(path), CniError(netns.error()));
}

CniResult<VethPair> create_veth(Rtnetlink& host, const kernel::Netns& container,
                                const VethOptions& options) {
  ASSIGN_OR_RETURN(const MacAddress host_mac, random_mac());
  ASSIGN_OR_RETURN(const MacAddress chosen_mac, random_mac());
  VethPair pair{.container_mac = options.container_mac.value_or(chosen_mac)};
  const bool random_name = options.host_name.empty();
  for (int i = 0; i < kNameTries; ++i) {
    std::string name = options.host_name;
    if (random_name) {
      ASSIGN_OR_RETURN(name, random_veth_name());
    }
    const kernel::NewLink wanted{.name = name,
                                 .kind = "veth",
                                 .mac = host_mac,
                                 .mtu = options.mtu,
                                 .up = options.host_detects_duplicates,
                                 .master = options.master,
                                 .peer = kernel::VethPeer{.name = options.container_name,
                                                          .mac = pair.container_mac,
                                                          .mtu = options.mtu,
                                                          .netns_fd = container.fd()}};
    bool again = false;
    RETURN_IF_ERROR(try_create(host, wanted, random_name, again));
    if (again) continue;
    ASSIGN_OR_RETURN(auto made, host.link(name));
    if (!made) return refuse("failed to lookup " + in_quotes(name) + ": link not found");
    pair.host = *std::move(made);
    pair.container_index = pair.host.peer;
    // Routes of this device are ours: no router may add some.
    (void)kernel::write_sysctl("net/ipv6/conf/" + name + "/accept_ra", "0");
    if (options.host_detects_duplicates) return pair;
    (void)kernel::write_sysctl("net/ipv6/conf/" + name + "/accept_dad", "0");
    RETURN_IF_ERROR(host.change(pair.host.index, {.up = true}));
    return pair;
  }
  return refuse("failed to find a unique veth name");
}

CniStatus configure_interface(Rtnetlink& rtnetlink, const std::string& ifname, LinkIndex link,
                              const InterfacePlan& plan) {
  RETURN_IF_ERROR(apply_settings(plan.settings, ifname));
  std::vector<Request> requests;
  std::vector<std::string> tried;  // nothing: may fail
  // Before the device is up, for then the kernel looks at it. By netlink and not by sysctl: it
  // travels with the rest instead of asking for a file of its own.
  if (plan.arp_notify) {
    requests.push_back(kernel::encode_link_change(link, {.arp_notify = true}));
    tried.emplace_back();
  }
  for (const auto& address : plan.addresses) {
    requests.push_back(kernel::encode_new_address(
        {.key = {.link = link, .address = address}, .prefix_route = plan.prefix_routes},
        !plan.wait_for_dad));
    tried.push_back("failed to add IP addr " + address.to_string() + " to " + in_quotes(ifname));
  }
  requests.push_back(kernel::encode_link_change(link, {.up = true}));
  tried.push_back("failed to set " + in_quotes(ifname) + " UP");
  const auto send = [&]() -> CniStatus {
    const auto verdicts = rtnetlink.request_all(requests);
    for (std::size_t i = 0; i < verdicts.size(); ++i)
      if (!verdicts[i] && !tried[i].empty())
        return because(tried[i], CniError(verdicts[i].error()));
    requests.clear();
    tried.clear();
    return {};
  };
  if (plan.wait_for_dad) {
    RETURN_IF_ERROR(send());
    RETURN_IF_ERROR(wait_for_dad(rtnetlink, link, ifname));
  }
  for (Route route : plan.routes) {
    route.hops[0].link = link;
    requests.push_back(kernel::encode_route(route, kernel::RouteWrite::kAppend));
    tried.push_back("failed to add route " + shown(route, ifname));
  }
  return send();
}

std::vector<InterfaceAddress> addresses_in_container(const Environment& environment) {
  std::vector<InterfaceAddress> result;
  const auto container = open_netns_if_there(environment.netns);
  if (!container || !*container) return result;
  const auto visit = kernel::NetnsVisit::enter(**container);
  auto inside = Rtnetlink::open();
  if (!visit || !inside) return result;
  const auto link = inside->link(environment.ifname);
  if (!link || !*link) return result;
  const auto addresses = inside->addresses((*link)->index);
  if (!addresses) return result;
  for (const auto& one : *addresses)
    if (!one.key.address.address.is_link_local()) result.push_back(one.key.address);
  return result;
}

CniResult<std::optional<RemovedInterface>> remove_interface(const kernel::Netns& container,
                                                            const std::string& ifname) {
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(container));
  ASSIGN_OR_RETURN(Rtnetlink inside, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto link, inside.link(ifname));
  if (!link) return std::optional<RemovedInterface>();
  RemovedInterface removed;
  ASSIGN_OR_RETURN(const auto addresses, inside.addresses(link->index));
  for (const auto& address : addresses)
    if (!address.key.address.address.is_link_local())
      removed.addresses.push_back(address.key.address);
  const Status status = kernel::ignore_errno(inside.remove(link->index), ENODEV);
  if (!status) return because("failed to delete " + in_quotes(ifname), CniError(status.error()));
  return std::optional<RemovedInterface>(std::move(removed));
}

}  // namespace weft::cni
