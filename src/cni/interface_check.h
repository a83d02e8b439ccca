// interface_check.h: a container's device as it is, compared with what an ADD said.
#pragma once

#include <string>
#include <vector>

#include "cni/result.h"
#include "kernel/netns.h"
#include "net/link_address.h"

namespace weft::cni {

/// A device inside a namespace with what is on it.
struct InterfaceState {
  Link link = {};
  std::vector<LinkAddress> addresses = {};
  std::vector<Route> routes = {};  ///< of all tables in use but the local one
};
CniResult<InterfaceState> read_interface(const kernel::Netns& container, const std::string& ifname);

/// Whether every address and route of a result that belongs to `ifname` is there.
CniStatus check_interface(const InterfaceState& state, const AddResult& result,
                          const std::string& ifname);

/// The device that a result says was made under that name in that namespace.
CniResult<const ResultInterface*> find_in_sandbox(const AddResult& result,
                                                  const std::string& ifname,
                                                  const std::string& sandbox);

/// Whether a device still has the MAC address that the result tells; `what` names it in the
/// error: "Host interface".
CniStatus check_mac(const Link& link, const ResultInterface& expected, const char* what);

}  // namespace weft::cni
