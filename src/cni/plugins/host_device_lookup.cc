#include "cni/plugins/host_device_lookup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/files.h"

namespace weft::cni {
namespace {

const std::string kPciDevices = "/sys/bus/pci/devices/";
const std::string kAuxiliaryDevices = "/sys/bus/auxiliary/devices/";
constexpr std::string_view kDevices = "/sys/devices/";
constexpr std::array<std::string_view, 3> kUserSpaceDrivers{"vfio-pci", "uio_pci_generic",
                                                            "igb_uio"};

bool exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

/// A device on a bus: its folder in sysfs.
struct BusDevice {
  std::string id = {};
  std::string folder = {};
  bool on_pci = false;
};

// runtimeConfig tells what a device manager has chosen for this container, pciBusID what the
// network says.
CniResult<std::optional<BusDevice>> bus_device(const HostDeviceConfig& config) {
  const auto pci_device = [](const std::string& id) {
    return std::optional(BusDevice{.id = id, .folder = kPciDevices + id, .on_pci = true});
  };
  const std::string& id = config.device_id;
  if (id.empty())
    return config.pci_bus_id.empty() ? std::optional<BusDevice>() : pci_device(config.pci_bus_id);
  if (exists(kPciDevices + id)) return pci_device(id);
  if (exists(kAuxiliaryDevices + id))
    return std::optional(BusDevice{.id = id, .folder = kAuxiliaryDevices + id});
  return refuse("runtime config DeviceID " + id + " not found or unsupported");
}

CniResult<Link> link_named(kernel::Rtnetlink& host, const std::string& name) {
  ASSIGN_OR_RETURN(auto link, host.link(name));
  if (!link) return refuse("Link not found");
  return *std::move(link);
}

// The first of the devices that a folder "net" lists.
CniResult<Link> link_listed_in(kernel::Rtnetlink& host, const std::string& folder) {
  if (!exists(folder)) return refuse("failed to read directory " + folder);
  ASSIGN_OR_RETURN(const auto names, list_directory(folder));
  if (names.empty()) return refuse("failed to find network device in path " + folder);
  return link_named(host, names[0]);
}

// A virtio device has its network device one level further down.
CniResult<std::string> net_folder(const BusDevice& device) {
  const std::string direct = device.folder + "/net";
  if (!device.on_pci || exists(direct)) return direct;
  ASSIGN_OR_RETURN(const auto names, list_directory(device.folder));
  for (const auto& name : names)
    if (const std::string below = device.folder + "/" + name + "/net";
        name.starts_with("virtio") && exists(below))
      return below;
  return refuse("no net directory under pci device " + device.id);
}

CniResult<Link> link_with_mac(kernel::Rtnetlink& host, const std::string& text) {
  const auto mac = MacAddress::parse(text);
  if (!mac) return refuse("failed to parse MAC address " + in_quotes(text));
  ASSIGN_OR_RETURN(auto links, host.links());
  const auto found =
      std::find_if(links.begin(), links.end(), [&](const Link& link) { return link.mac == *mac; });
  if (found == links.end()) return refuse("failed to find physical interface");
  return std::move(*found);
}

CniResult<Link> find(kernel::Rtnetlink& host, const HostDeviceConfig& config) {
  if (!config.device.empty()) return link_named(host, config.device);
  if (!config.hwaddr.empty()) return link_with_mac(host, config.hwaddr);
  if (!config.kernel_path.empty()) {
    if (!config.kernel_path.starts_with(kDevices))
      return refuse("kernel device path " + in_quotes(config.kernel_path) +
                    " must be absolute and begin with /sys/devices/");
    return link_listed_in(host, config.kernel_path + "/net");
  }
  ASSIGN_OR_RETURN(const auto device, bus_device(config));
  ASSIGN_OR_RETURN(const std::string folder, net_folder(*device));
  return link_listed_in(host, folder);
}

}  // namespace

CniResult<bool> has_user_space_driver(const HostDeviceConfig& config) {
  ASSIGN_OR_RETURN(const auto device, bus_device(config));
  if (!device || !device->on_pci) return false;
  const std::string link = device->folder + "/driver";
  std::array<char, 4096> target{};
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  if (length < 0) return refuse("error with host device: lstat " + link + ": " + go_words(errno));
  const std::string_view path(target.data(), static_cast<std::size_t>(length));
  const std::string_view driver = path.substr(path.rfind('/') + 1);
  return std::find(kUserSpaceDrivers.begin(), kUserSpaceDrivers.end(), driver) !=
         kUserSpaceDrivers.end();
}

CniResult<std::optional<Link>> find_host_device(kernel::Rtnetlink& host,
                                                const HostDeviceConfig& config) {
  ASSIGN_OR_RETURN(const bool in_user_space, has_user_space_driver(config));
  if (in_user_space) return std::optional<Link>();
  auto link = find(host, config);
  if (!link) return because("failed to find host device", link.error());
  return std::optional<Link>(*std::move(link));
}

}  // namespace weft::cni
