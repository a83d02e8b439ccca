#include "cni/plugins/macvlan_config.h"

#include "cni/main_config.h"

namespace weft::cni {
namespace {

CniResult<MacvlanMode> parse_mode(const std::string& text) {
  if (text.empty() || text == "bridge") return MacvlanMode::kBridge;
  if (text == "private") return MacvlanMode::kPrivate;
  if (text == "vepa") return MacvlanMode::kVepa;
  if (text == "passthru") return MacvlanMode::kPassthru;
  return refuse("unknown macvlan mode: " + in_quotes(text));
}

}  // namespace

CniResult<DevicePlan> plan_macvlan(const Call& call, Command) {
  DevicePlan plan{.device = {.kind = "macvlan"},
                  .interface = {.arp_notify = true, .ndisc_notify = true}};
  ObjectReader reader(call.config, "failed to load netconf");
  std::string mode;
  MacvlanOptions options;
  reader.read("mode", mode);
  reader.read("mtu", plan.mtu);
  reader.read("bcqueuelen", options.broadcast_queue);
  plan.parent = read_parent(reader);
  plan.dns = read_dns(reader);
  ASSIGN_OR_RETURN(plan.ipam_type, read_ipam_type(reader));
  ASSIGN_OR_RETURN(plan.mac,
                   read_mac(call, {MacSource::kConfig, MacSource::kVariable, MacSource::kRuntime}));
  RETURN_IF_ERROR(reader.finish());
  ASSIGN_OR_RETURN(options.mode, parse_mode(mode));
  plan.device.macvlan = options;
  // In that mode it has its master's.
  plan.has_mac_of_its_own = options.mode != MacvlanMode::kPassthru;
  return plan;
}

}  // namespace weft::cni
