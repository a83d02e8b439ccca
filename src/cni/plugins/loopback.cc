#include "cni/plugins/loopback.h"

#include "cni/interface.h"

namespace weft::cni {
namespace {

constexpr const char* kName = "lo";  // whatever CNI_IFNAME says

struct Loopback {
  Link link = {};
  std::vector<LinkAddress> addresses = {};
};

CniResult<Link> find_loopback(kernel::Rtnetlink& inside) {
  ASSIGN_OR_RETURN(auto link, inside.link(kName));
  if (!link) return refuse("the container has no loopback interface");
  return *std::move(link);
}

CniResult<Loopback> set_up(const kernel::Netns& container) {
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(container));
  ASSIGN_OR_RETURN(auto inside, kernel::Rtnetlink::open());
  ASSIGN_OR_RETURN(const Link link, find_loopback(inside));
  RETURN_IF_ERROR(inside.change(link.index, {.up = true}));
  ASSIGN_OR_RETURN(auto addresses, inside.addresses(link.index));
  return Loopback{.link = link, .addresses = std::move(addresses)};
}

// The first address of each family.
CniStatus add_addresses(const Loopback& loopback, AddResult& result) {
  bool seen[2] = {false, false};
  for (const auto& held : loopback.addresses) {
    const InterfaceAddress& address = held.key.address;
    if (!address.address.is_loopback())
      return refuse("loopback interface found with non-loopback address " +
                    in_quotes(address.to_string()));
    bool& had = seen[address.address.is_v4() ? 0 : 1];
    if (!had) result.ips.push_back({.interface = 0, .address = address});
    had = true;
  }
  return {};
}

CniResult<AddResult> add(const Call& call) {
  ASSIGN_OR_RETURN(const auto previous, previous_result(call.config, call.version));
  ASSIGN_OR_RETURN(const auto container, open_netns(call.environment.netns));
  ASSIGN_OR_RETURN(const Loopback loopback, set_up(container));
  AddResult result;
  result.interfaces.push_back(
      {.name = kName, .mac = MacAddress{}.to_string(), .sandbox = call.environment.netns});
  RETURN_IF_ERROR(add_addresses(loopback, result));
  return previous ? *previous : result;
}

CniStatus del(const Call& call) {
  ASSIGN_OR_RETURN(const auto container, open_netns_if_there(call.environment.netns));
  if (!container) return {};
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(*container));
  ASSIGN_OR_RETURN(auto inside, kernel::Rtnetlink::open());
  ASSIGN_OR_RETURN(const Link link, find_loopback(inside));
  RETURN_IF_ERROR(inside.change(link.index, {.up = false}));
  return {};
}

CniStatus check(const Call& call) {
  ASSIGN_OR_RETURN(const auto container, open_netns(call.environment.netns));
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(container));
  ASSIGN_OR_RETURN(auto inside, kernel::Rtnetlink::open());
  ASSIGN_OR_RETURN(const Link link, find_loopback(inside));
  if (!link.up) return refuse("loopback interface is down");
  return {};
}

}  // namespace

const Plugin kLoopback{
    .name = "loopback", .add = add, .del = del, .check = check, .status = nullptr, .gc = nullptr};

}  // namespace weft::cni
