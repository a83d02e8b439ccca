#include "cni/interface.h"
#include "cni/interface_check.h"
#include "cni/main_plugin.h"
#include "cni/plugins/bridge.h"
#include "cni/plugins/bridge_config.h"

namespace weft::cni {
namespace {

struct Expected {
  const ResultInterface* bridge = nullptr;
  const ResultInterface* host = nullptr;
  const ResultInterface* container = nullptr;
};

// The bridge by its name; the container's end by its name and namespace; the host's end is the
// one of the rest that is a port of the bridge.
CniResult<Expected> find_interfaces(kernel::Rtnetlink& host, const Call& call,
                                    const BridgeConfig& config, const AddResult& result,
                                    LinkIndex bridge) {
  Expected expected;
  for (const auto& interface : result.interfaces) {
    if (!interface.sandbox.empty()) continue;
    if (interface.name == config.bridge) {
      expected.bridge = &interface;
    } else {
      ASSIGN_OR_RETURN(const auto link, host.link(interface.name));
      if (link && link->master == bridge && !expected.host) expected.host = &interface;
    }
  }
  if (!expected.bridge || expected.bridge->name.empty())
    return refuse("Bridge interface " + config.bridge + " is not in prevResult");
  if (!expected.host) return refuse("Host veth is not in prevResult or is no port of the bridge");
  ASSIGN_OR_RETURN(expected.container,
                   find_in_sandbox(result, call.environment.ifname, call.environment.netns));
  return expected;
}

CniStatus check_links(kernel::Rtnetlink& host, const Expected& expected, const Link& bridge,
                      const InterfaceState& container, const BridgeConfig& config) {
  RETURN_IF_ERROR(check_mac(bridge, *expected.bridge, "Bridge interface"));
  if (config.promiscuous && !bridge.promiscuous)
    return refuse("Bridge interface " + bridge.name +
                  " is configured promiscuous but the interface is not");
  ASSIGN_OR_RETURN(const auto port, host.link(expected.host->name));
  if (!port) return refuse("Host interface " + expected.host->name + " not found");
  RETURN_IF_ERROR(check_mac(*port, *expected.host, "Host interface"));
  if (port->peer != container.link.index)
    return refuse("Host interface " + port->name + " is not the peer of " + container.link.name);
  return check_mac(container.link, *expected.container, "Container interface");
}

}  // namespace

CniStatus check_bridge(const Call& call) {
  ASSIGN_OR_RETURN(const BridgeConfig config, read_bridge_config(call));
  ASSIGN_OR_RETURN(const auto container, open_netns(call.environment.netns));
  RETURN_IF_ERROR(run_ipam(Command::kCheck, call));
  ASSIGN_OR_RETURN(const AddResult result, required_previous_result(call));
  ASSIGN_OR_RETURN(auto host, kernel::Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto bridge, host.link(config.bridge));
  if (!bridge || bridge->kind != "bridge")
    return refuse("Bridge interface " + config.bridge + " not found");
  ASSIGN_OR_RETURN(const Expected expected,
                   find_interfaces(host, call, config, result, bridge->index));
  ASSIGN_OR_RETURN(const InterfaceState state, read_interface(container, call.environment.ifname));
  RETURN_IF_ERROR(check_links(host, expected, *bridge, state, config));
  return check_interface(state, result, call.environment.ifname);
}

}  // namespace weft::cni
