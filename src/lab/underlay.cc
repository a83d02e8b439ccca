#include "lab/underlay.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/files.h"
#include "kernel/netns.h"
#include "kernel/rtnetlink.h"
#include "kernel/sysctl.h"
#include "lab/names.h"

namespace weft::lab {
namespace {

using kernel::ignore_errno;
using kernel::Netns;
using kernel::NetnsVisit;
using kernel::Rtnetlink;

// A namespace of the lab and the socket that acts in it.
struct Space {
  Netns netns;
  Rtnetlink rtnetlink;
};

Result<Space> open_space(const std::string& path) {
  ASSIGN_OR_RETURN(Netns netns, Netns::open(path));
  ASSIGN_OR_RETURN(const NetnsVisit visit, NetnsVisit::enter(netns));
  ASSIGN_OR_RETURN(Rtnetlink rtnetlink, Rtnetlink::open());
  return Space{.netns = std::move(netns), .rtnetlink = std::move(rtnetlink)};
}

Result<Link> must_have(Space& space, const std::string& device) {
  ASSIGN_OR_RETURN(const auto link, space.rtnetlink.link(device));
  if (!link) return fail("the device " + device + " is not there");
  return *link;
}

// A card keeps its MAC address when its machine goes and comes back: a node that is made again
// with the same address is reached at once, although its neighbours remember the former one.
std::optional<MacAddress> mac_of(const CableEnd& end) {
  for (const auto& address : end.addresses) {
    if (!address.address.is_v4()) continue;
    MacAddress mac{.bytes = {0x02, 0x57}};
    const std::string_view bytes = address.address.bytes();
    std::copy(bytes.begin(), bytes.end(), mac.bytes.begin() + 2);
    return mac;
  }
  return std::nullopt;
}

class Builder {
 public:
  Builder(std::string lab, const Layout& layout) : lab_(std::move(lab)), layout_(layout) {}

  Status build() {
    for (const auto& name : layout_.spaces) {
      RETURN_IF_ERROR(make_namespace(lab_, name));
      ASSIGN_OR_RETURN(Space space, open_space(netns_path(lab_, name)));
      spaces_.emplace(name, std::move(space));
    }
    for (const auto& sysctl : layout_.sysctls) RETURN_IF_ERROR(set(sysctl));
    for (const auto& bridge : layout_.bridges) RETURN_IF_ERROR(make(bridge));
    for (const auto& cable : layout_.cables) RETURN_IF_ERROR(lay(cable));
    for (const auto& route : layout_.routes) RETURN_IF_ERROR(put(route));
    return {};
  }

 private:
  Status set(const NamespaceSysctl& sysctl) {
    ASSIGN_OR_RETURN(const NetnsVisit visit, NetnsVisit::enter(spaces_.at(sysctl.space).netns));
    const Status status = kernel::write_sysctl(sysctl.name, sysctl.value);
    // A kernel without IPv6 has nothing to forward.
    const bool absent = !status && status.error().number == ENOENT;
    return absent && sysctl.name.find("/ipv6/") != std::string::npos ? Status{} : status;
  }

  Status make(const Bridge& bridge) {
    return ignore_errno(spaces_.at(bridge.space)
                            .rtnetlink.create({.name = bridge.name,
                                               .kind = "bridge",
                                               .mtu = layout_.mtu,
                                               .up = true,
                                               .bridge = BridgeOptions{}}),
                        EEXIST);
  }

  Status lay(const Cable& cable) {
    const Status made = spaces_.at(cable.a.space)
                            .rtnetlink.create({.name = cable.a.device,
                                               .kind = "veth",
                                               .mac = mac_of(cable.a),
                                               .mtu = layout_.mtu,
                                               .peer = kernel::VethPeer{
                                                   .name = cable.b.device,
                                                   .mac = mac_of(cable.b),
                                                   .mtu = layout_.mtu,
                                                   .netns_fd = spaces_.at(cable.b.space).netns.fd(),
                                               }});
    if (!made && made.error().number == EOPNOTSUPP)
      return because("this kernel has no veth devices", made.error());
    RETURN_IF_ERROR(ignore_errno(made, EEXIST));
    RETURN_IF_ERROR(finish(cable.a));
    return finish(cable.b);
  }

  Status finish(const CableEnd& end) {
    Space& space = spaces_.at(end.space);
    ASSIGN_OR_RETURN(const Link link, must_have(space, end.device));
    kernel::LinkChange change{.up = true};
    if (!end.bridge.empty()) {
      ASSIGN_OR_RETURN(const Link bridge, must_have(space, end.bridge));
      change.master = bridge.index;
    }
    RETURN_IF_ERROR(space.rtnetlink.change(link.index, change));
    for (const auto& address : end.addresses)
      RETURN_IF_ERROR(ignore_errno(
          space.rtnetlink.add({.key = {.link = link.index, .address = address}}), EEXIST));
    return {};
  }

  Status put(const StaticRoute& route) {
    return spaces_.at(route.space)
        .rtnetlink.put({.key = {.destination = route.destination},
                        .protocol = RouteProtocol::kStatic,
                        .hops = {{.gateway = route.via}}});
  }

  const std::string lab_;
  const Layout& layout_;
  std::map<std::string, Space> spaces_;
};

// Nobody else has an address of the lab: without the second or two in which the kernel makes
// sure of that, IPv6 works as soon as the lab is up.
Status trust_addresses(const Netns& netns) {
  ASSIGN_OR_RETURN(const NetnsVisit visit, NetnsVisit::enter(netns));
  return ignore_errno(kernel::write_sysctl("net/ipv6/conf/default/accept_dad", "0"), ENOENT);
}

}  // namespace

Status make_namespace(const std::string& lab, const std::string& member) {
  const std::string path = netns_path(lab, member);
  RETURN_IF_ERROR(make_directories(kNetnsRoot));
  ASSIGN_OR_RETURN(const Netns netns, Netns::create());
  const Status pinned = netns.pin(path);
  if (!pinned && pinned.error().number == EEXIST) return {};
  RETURN_IF_ERROR(pinned);
  ASSIGN_OR_RETURN(Space space, open_space(path));
  ASSIGN_OR_RETURN(const Link loopback, must_have(space, "lo"));
  RETURN_IF_ERROR(trust_addresses(space.netns));
  return space.rtnetlink.change(loopback.index, {.up = true});
}

Status remove_node_namespace(const std::string& lab, const std::string& node) {
  const std::string path = netns_path(lab, node);
  // The kernel removes a namespace's devices some time after the namespace; a node that comes
  // back at once needs the port's name.
  if (auto space = open_space(path)) {
    ASSIGN_OR_RETURN(const auto link, space->rtnetlink.link("eth0"));
    if (link) RETURN_IF_ERROR(ignore_errno(space->rtnetlink.remove(link->index), ENODEV));
  }
  return Netns::unpin(path);
}

Status build_layout(const std::string& lab, const Layout& layout) {
  return Builder(lab, layout).build();
}

}  // namespace weft::lab
