// interface.h: a container's device in the kernel: made, configured, checked, removed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cni/environment.h"
#include "cni/interface_plan.h"
#include "kernel/netns.h"
#include "kernel/rtnetlink.h"

namespace weft::cni {

/// The namespace of a call. Fails with the text that runtimes match on.
CniResult<kernel::Netns> open_netns(const std::string& path);

/// The namespace of a DEL; nothing when it is gone: no path, no file, or a plain file that was
/// left when the namespace went.
CniResult<std::optional<kernel::Netns>> open_netns_if_there(const std::string& path);

/// Waits for other calls for a namespace, and keeps them waiting while `container` lives: by
/// flock(2) on its file, as Go's sbr plugin does. A call that does not end in time is told as one
/// to try again.
CniStatus lock_netns(const kernel::Netns& container);

struct VethOptions {
  std::string container_name = {};
  std::optional<MacAddress> container_mac = {};
  std::string host_name = {};  ///< empty: "veth" and eight random hexadecimal digits
  std::uint32_t mtu = 0;       ///< 0: the kernel's choice
  LinkIndex master = LinkIndex::kNone;
  /// IPv6 duplicate address detection at the host's end. On a link of two ends of ours there is
  /// nobody to ask, and for a second the host could not look for the other end.
  bool host_detects_duplicates = true;
};

struct VethPair {
  Link host = {};
  LinkIndex container_index = LinkIndex::kNone;
  MacAddress container_mac = {};
};

/// Makes both ends complete with one message, the host's end up and in its bridge, the other
/// inside `container` and down. Both have a MAC address set by us, which udev leaves alone.
/// Fails when the container has a device of that name already.
CniResult<VethPair> create_veth(kernel::Rtnetlink& host, const kernel::Netns& container,
                                const VethOptions& options);

/// Settings, addresses, link up, routes. The calling thread must stand in the container's
/// namespace, where `rtnetlink` was opened.
CniStatus configure_interface(kernel::Rtnetlink& rtnetlink, const std::string& ifname,
                              LinkIndex link, const InterfacePlan& plan);

/// The addresses on the device of a call, as far as namespace and device are there, those of the
/// link alone aside: for a DEL that nobody told them.
std::vector<InterfaceAddress> addresses_in_container(const Environment& environment);

/// What a device that was removed had.
struct RemovedInterface {
  std::vector<InterfaceAddress> addresses = {};
};

/// Removes a device; nothing when there is none. Enters the namespace for the socket only.
CniResult<std::optional<RemovedInterface>> remove_interface(const kernel::Netns& container,
                                                            const std::string& ifname);

}  // namespace weft::cni
