#include "cni/plugins/ipvlan_config.h"

#include "cni/main_config.h"

namespace weft::cni {
namespace {

CniResult<IpvlanMode> parse_mode(const std::string& text) {
  if (text.empty() || text == "l2") return IpvlanMode::kL2;
  if (text == "l3") return IpvlanMode::kL3;
  if (text == "l3s") return IpvlanMode::kL3s;
  return refuse("unknown ipvlan mode: " + in_quotes(text));
}

CniStatus continue_chain(const Call& call, DevicePlan& plan) {
  ASSIGN_OR_RETURN(auto previous, previous_result(call.config, call.version));
  if (!previous) return {};
  if (plan.parent->name.empty()) {
    if (previous->interfaces.size() != 1 || previous->interfaces[0].name.empty())
      return refuse("chained master failure. PrevResult lacks a single named interface");
    plan.parent->name = previous->interfaces[0].name;
  }
  if (plan.ipam_type.empty() && !previous->ips.empty()) plan.given = *std::move(previous);
  return {};
}

}  // namespace

CniResult<DevicePlan> plan_ipvlan(const Call& call, Command command) {
  DevicePlan plan{.device = {.kind = "ipvlan"},
                  .needs_addresses = true,
                  .interface = {.arp_notify = true, .ndisc_notify = true}};
  ObjectReader reader(call.config, "failed to load netconf");
  std::string mode;
  reader.read("mode", mode);
  reader.read("mtu", plan.mtu);
  plan.parent = read_parent(reader);
  plan.dns = read_dns(reader);
  ASSIGN_OR_RETURN(plan.ipam_type, read_ipam_type(reader));
  RETURN_IF_ERROR(reader.finish());
  IpvlanOptions options;
  ASSIGN_OR_RETURN(options.mode, parse_mode(mode));
  plan.device.ipvlan = options;
  if (command == Command::kAdd) RETURN_IF_ERROR(continue_chain(call, plan));
  return plan;
}

}  // namespace weft::cni
