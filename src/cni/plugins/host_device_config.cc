#include "cni/plugins/host_device_config.h"

#include "cni/main_config.h"

namespace weft::cni {
namespace {

// Bus ids become parts of a path.
CniStatus check_bus_id(const std::string& id) {
  if (id != "." && id != ".." && id.find('/') == std::string::npos) return {};
  return refuse("invalid device id " + in_quotes(id));
}

}  // namespace

CniResult<HostDeviceConfig> read_host_device_config(const Call& call) {
  HostDeviceConfig config;
  ObjectReader reader(call.config, "failed to load netconf");
  reader.read("device", config.device);
  reader.read("hwaddr", config.hwaddr);
  reader.read("kernelpath", config.kernel_path);
  reader.read("pciBusID", config.pci_bus_id);
  if (const Json* runtime = reader.object("runtimeConfig")) {
    ObjectReader inside(*runtime, "failed to load netconf: runtimeConfig");
    inside.read("deviceID", config.device_id);
    RETURN_IF_ERROR(inside.finish());
  }
  ASSIGN_OR_RETURN(config.plan.ipam_type, read_ipam_type(reader));
  const Dns dns = read_dns(reader);
  if (!config.plan.ipam_type.empty()) config.plan.dns = dns;
  RETURN_IF_ERROR(reader.finish());
  RETURN_IF_ERROR(check_bus_id(config.pci_bus_id));
  RETURN_IF_ERROR(check_bus_id(config.device_id));
  if (config.device.empty() && config.hwaddr.empty() && config.kernel_path.empty() &&
      config.pci_bus_id.empty() && config.device_id.empty())
    return refuse(R"(specify either "device", "hwaddr", "kernelpath" or "pciBusID")");
  return config;
}

}  // namespace weft::cni
