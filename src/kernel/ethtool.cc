#include "kernel/ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "net/link.h"

namespace weft::kernel {
namespace {

constexpr std::size_t kBlockBits = 32;  // features come in words of so many

std::size_t blocks_of(std::size_t features) {
  return (features + kBlockBits - 1) / kBlockBits;
}

// An ethtool command is a struct with an array of any length behind it.
template <class Head, class Item>
struct EthtoolCommand {
  explicit EthtoolCommand(std::size_t count)
      : bytes((sizeof(Head) + count * sizeof(Item) + 7) / 8, 0) {}
  Head& head() { return *reinterpret_cast<Head*>(bytes.data()); }
  char* items() { return reinterpret_cast<char*>(bytes.data()) + sizeof(Head); }
  Item item(std::size_t index) {
    Item value;
    std::memcpy(&value, items() + index * sizeof(Item), sizeof value);
    return value;
  }
  void set_item(std::size_t index, const Item& value) {
    std::memcpy(items() + index * sizeof(Item), &value, sizeof value);
  }
  std::vector<std::uint64_t> bytes;
};

struct FeatureName {
  char text[ETH_GSTRING_LEN];
};

}  // namespace

Result<Ethtool> Ethtool::open() {
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd.empty()) return fail_errno("opening a socket for ethtool");
  return Ethtool(std::move(fd));
}

Status Ethtool::call(const std::string& device, void* data, std::string_view tried) const {
  const std::string about = std::string(tried) + " of " + device;
  if (!is_valid_link_name(device)) return fail_errno(about, ENODEV);
  ifreq request{};
  std::memcpy(request.ifr_name, device.c_str(), device.size());
  request.ifr_data = static_cast<char*>(data);
  if (::ioctl(fd_.get(), SIOCETHTOOL, &request) < 0) return fail_errno(about);
  return {};
}

Result<std::vector<std::string>> Ethtool::feature_names(const std::string& device) const {
  EthtoolCommand<ethtool_sset_info, std::uint32_t> info(1);
  info.head().cmd = ETHTOOL_GSSET_INFO;
  info.head().sset_mask = 1ULL << ETH_SS_FEATURES;
  RETURN_IF_ERROR(call(device, info.bytes.data(), "counting the offloads"));
  const std::size_t count = info.head().sset_mask == 0 ? 0 : info.item(0);
  if (count == 0) return fail_errno("counting the offloads of " + device, EOPNOTSUPP);

  EthtoolCommand<ethtool_gstrings, FeatureName> strings(count);
  strings.head().cmd = ETHTOOL_GSTRINGS;
  strings.head().string_set = ETH_SS_FEATURES;
  strings.head().len = static_cast<std::uint32_t>(count);
  RETURN_IF_ERROR(call(device, strings.bytes.data(), "listing the offloads"));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    const FeatureName name = strings.item(i);
    names.emplace_back(name.text, ::strnlen(name.text, sizeof name.text));
  }
  return names;
}

Result<std::map<std::string, bool>> Ethtool::offloads(const std::string& device) const {
  ASSIGN_OR_RETURN(const auto names, feature_names(device));
  EthtoolCommand<ethtool_gfeatures, ethtool_get_features_block> features(blocks_of(names.size()));
  features.head().cmd = ETHTOOL_GFEATURES;
  features.head().size = static_cast<std::uint32_t>(blocks_of(names.size()));
  RETURN_IF_ERROR(call(device, features.bytes.data(), "reading the offloads"));
  std::map<std::string, bool> offloads;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!names[i].empty())
      offloads[names[i]] = (features.item(i / kBlockBits).active >> (i % kBlockBits) & 1U) != 0;
  return offloads;
}

Status Ethtool::set_offload(const std::string& device, const std::string& feature, bool on) const {
  const std::string tried = std::string("turning ") + feature + (on ? " on" : " off");
  ASSIGN_OR_RETURN(const auto names, feature_names(device));
  const auto found = std::find(names.begin(), names.end(), feature);
  if (found == names.end())
    return fail_errno(tried + " of " + device, EINVAL,
                      "the kernel has no offload of that name" + did_you_mean(feature, names));
  ASSIGN_OR_RETURN(const auto present, offloads(device));
  if (present.at(feature) == on) return {};

  const auto bit = static_cast<std::size_t>(found - names.begin());
  EthtoolCommand<ethtool_sfeatures, ethtool_set_features_block> command(blocks_of(names.size()));
  command.head().cmd = ETHTOOL_SFEATURES;
  command.head().size = static_cast<std::uint32_t>(blocks_of(names.size()));
  const std::uint32_t mask = 1U << (bit % kBlockBits);
  command.set_item(bit / kBlockBits, {.valid = mask, .requested = on ? mask : 0});
  RETURN_IF_ERROR(call(device, command.bytes.data(), tried));
  // The kernel takes a wish for a fixed feature and does nothing.
  ASSIGN_OR_RETURN(const auto result, offloads(device));
  if (result.at(feature) != on)
    return fail_errno(tried + " of " + device, EPERM, "the device does not let it be changed");
  return {};
}

}  // namespace weft::kernel
