#include "cni/plugins/tap.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/process.h"
#include "cni/device_plugin.h"
#include "cni/plugins/tap_config.h"
#include "cni/random_names.h"
#include "kernel/tun.h"

namespace weft::cni {
namespace {

constexpr const char* kOwnProgram = "/proc/self/exe";
constexpr std::chrono::seconds kLimit{30};

/// The SELinux context of the programs that this thread starts; an empty one is the usual.
Status set_exec_context(const std::string& context) {
  const Fd file(::open("/proc/thread-self/attr/exec", O_WRONLY | O_CLOEXEC));
  if (file.empty() ||
      ::write(file.get(), context.data(), context.size()) != static_cast<ssize_t>(context.size()))
    return fail_errno("setting the SELinux context " + context);
  return {};
}

// What the device needs, for a call of this plugin that makes it and nothing else.
Json device_alone(const Call& call, const TapConfig& config, const DevicePlan& plan) {
  Json json = Json::object();
  json["cniVersion"] = call.version;
  json["name"] = call.network;
  json["type"] = "tap";
  json["multiQueue"] = config.tap.multi_queue;
  if (config.tap.owner) json["owner"] = *config.tap.owner;
  if (config.tap.group) json["group"] = *config.tap.group;
  json["bridge"] = plan.bridge;
  json["mtu"] = plan.mtu;
  if (plan.mac) json["mac"] = plan.mac->to_string();
  return json;
}

// A device belongs to the context of the process that makes it, and a process changes its context
// only by starting a program: this one again.
CniStatus make_in_context(const Call& call, const TapConfig& config, const DevicePlan& plan) {
  const std::string& context = config.selinux_context;
  RETURN_IF_ERROR(set_exec_context(context));
  const auto outcome = run({.argv = {kOwnProgram, "tap"},
                            .input = to_text(device_alone(call, config, plan)),
                            .limit = kLimit,
                            .pass_stderr = true});
  RETURN_IF_ERROR(set_exec_context(""));
  if (!outcome) return because("failed to create tap", CniError(outcome.error()));
  if (outcome->exit_code != 0)
    return refuse("failed to create tap in the context " + context + ": " + outcome->output);
  return {};
}

CniStatus make_here(DeviceSite& site, const std::string& ifname, const TapConfig& config) {
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(site.container));
  const Status made = kernel::make_tap(ifname, config.tap);
  if (!made) return because("failed to create tap", CniError(made.error()));
  return {};
}

CniStatus adjust(DeviceSite& site, const std::string& ifname, const DevicePlan& plan) {
  ASSIGN_OR_RETURN(const auto link, site.inside.link(ifname));
  if (!link) return refuse("failed to refetch tap " + in_quotes(ifname));
  kernel::LinkChange change{.mac = plan.mac};
  if (!change.mac) {
    ASSIGN_OR_RETURN(change.mac, random_mac());
  }
  if (plan.mtu != 0) change.mtu = static_cast<std::uint32_t>(plan.mtu);
  if (!plan.bridge.empty()) {
    ASSIGN_OR_RETURN(const auto bridge, site.inside.link(plan.bridge));
    if (!bridge) return refuse("failed to get bridge " + plan.bridge + ": Link not found");
    change.master = bridge->index;
  }
  const Status changed = site.inside.change(link->index, change);
  if (!changed) return because("failed to set up tap " + ifname, CniError(changed.error()));
  return {};
}

CniStatus make(const Call& call, DeviceSite& site, const DevicePlan& plan) {
  const std::string& ifname = call.environment.ifname;
  ASSIGN_OR_RETURN(const TapConfig config, read_tap_config(call));
  if (!config.selinux_context.empty()) return make_in_context(call, config, plan);
  RETURN_IF_ERROR(make_here(site, ifname, config));
  auto adjusted = adjust(site, ifname, plan);
  if (adjusted) return adjusted;
  if (const auto left = site.inside.link(ifname); left && *left)
    (void)site.inside.remove((*left)->index);
  return adjusted;
}

}  // namespace

const Plugin kTap = device_plugin<plan_tap, make>("tap");

}  // namespace weft::cni
