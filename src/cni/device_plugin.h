// device_plugin.h: the plugins that make one device inside the container: ADD, DEL, CHECK, STATUS
// and GC, written once.
//
// A plugin is a function from its configuration to a DevicePlan. The device is made where it
// belongs by one netlink message, with its name, MAC address and MTU; addresses come from IPAM;
// whatever fails takes back what went before. DEL needs the names of the call and nothing else:
// a master that is gone, or a configuration that ADD would refuse, must not keep an address held.
//
// Beyond the Go plugins: GC; STATUS also asks whether the master is there; the device below is
// compared by CHECK.
#pragma once

#include "cni/device_plan.h"
#include "cni/main_plugin.h"
#include "kernel/netns.h"
#include "kernel/rtnetlink.h"

namespace weft::cni {

/// `command` is ADD, CHECK or STATUS.
using PlanDevice = CniResult<DevicePlan> (*)(const Call& call, Command command);

/// The two namespaces of a call.
struct DeviceSite {
  kernel::Netns container;
  kernel::Rtnetlink host;
  kernel::Rtnetlink inside;

  static CniResult<DeviceSite> open(const Call& call);
};

/// Makes the device of a plan in the container under its final name, or leaves nothing behind.
using MakeDevice = CniStatus (*)(const Call& call, DeviceSite& site, const DevicePlan& plan);
/// By one netlink message.
CniStatus make_device(const Call& call, DeviceSite& site, const DevicePlan& plan);

/// The last part of an ADD: addresses, settings, up, routes. The container's device is
/// `result.interfaces[interface]`.
CniStatus set_up_device(const Call& call, const DevicePlan& plan, DeviceSite& site, LinkIndex link,
                        int interface, AddResult& result, Rollback& rollback);

CniResult<AddResult> add_device(const Call& call, PlanDevice plan, MakeDevice make);
CniStatus check_device(const Call& call, PlanDevice plan);
CniStatus device_status(const Call& call, PlanDevice plan);
/// What the network's plugins hold on the host is addresses alone.
CniStatus collect_addresses(const Call& call);

template <PlanDevice kPlan, MakeDevice kMake = make_device>
constexpr Plugin device_plugin(std::string_view name) {
  return {.name = name,
          .add = [](const Call& call) { return add_device(call, kPlan, kMake); },
          .del = remove_device_and_addresses,
          .check = [](const Call& call) { return check_device(call, kPlan); },
          .status = [](const Call& call) { return device_status(call, kPlan); },
          .gc = collect_addresses};
}

}  // namespace weft::cni
