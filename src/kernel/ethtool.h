// ethtool.h: a device's offloads by name, as `ethtool -k` lists and `ethtool -K` sets them
// (linux/ethtool.h). Acts in the namespace in which it was opened.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace weft::kernel {

class Ethtool {
 public:
  /// In the calling thread's namespace.
  static Result<Ethtool> open();

  /// The kernel's names, such as "tx-checksum-ip-generic", and whether each is on. ENODEV when
  /// there is no such device, EOPNOTSUPP when it has no such features.
  Result<std::map<std::string, bool>> offloads(const std::string& device) const;

  /// EINVAL for a name that the kernel does not know; EPERM for one that the device cannot
  /// change. An offload that is so already is success and nothing is written.
  Status set_offload(const std::string& device, const std::string& feature, bool on) const;

 private:
  explicit Ethtool(Fd fd) : fd_(std::move(fd)) {}
  /// In the order of their bits.
  Result<std::vector<std::string>> feature_names(const std::string& device) const;
  Status call(const std::string& device, void* data, std::string_view tried) const;

  Fd fd_;
};

}  // namespace weft::kernel
