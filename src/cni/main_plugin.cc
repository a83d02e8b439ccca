#include "cni/main_plugin.h"

#include "cni/delegate.h"
#include "cni/interface.h"
#include "cni/ipam_config.h"

namespace weft::cni {

AttachmentName attachment_of(const Call& call) {
  return {.network = call.network,
          .container_id = call.environment.container_id,
          .ifname = call.environment.ifname};
}

CniResult<AddResult> request_addresses(const Call& call, const std::string& ipam,
                                       Rollback& rollback) {
  ASSIGN_OR_RETURN(const Delegate plugin, Delegate::find(ipam, call));
  ASSIGN_OR_RETURN(AddResult given, plugin.add(call));
  rollback.push([&call, plugin] { (void)plugin.run(Command::kDel, call); });
  if (given.ips.empty()) return refuse("IPAM plugin returned missing IP config");
  return given;
}

CniStatus run_ipam(Command command, const Call& call) {
  const std::string type = ipam_type(call.config);
  if (type.empty()) return {};
  ASSIGN_OR_RETURN(const Delegate ipam, Delegate::find(type, call));
  return ipam.run(command, call);
}

CniResult<AddResult> required_previous_result(const Call& call) {
  ASSIGN_OR_RETURN(auto result, previous_result(call.config, call.version));
  if (!result) return refuse("Required prevResult missing");
  return *std::move(result);
}

CniStatus remove_device_and_addresses(const Call& call) {
  ASSIGN_OR_RETURN(const auto container, open_netns_if_there(call.environment.netns));
  if (container) RETURN_IF_ERROR(remove_interface(*container, call.environment.ifname));
  return run_ipam(Command::kDel, call);
}

}  // namespace weft::cni
