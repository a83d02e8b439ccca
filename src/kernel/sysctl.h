// sysctl.h: settings below /proc/sys. Those below net/ are those of the network namespace in
// which the calling thread stands when it opens the file.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::kernel {

/// `name` has slashes: "net/ipv4/ip_forward". A name with ".." in it is refused. ENOENT when
/// the kernel has no such setting.
Result<std::string> read_sysctl(std::string_view name);

/// Writes only when the value differs: a read-only /proc/sys that says the right thing already
/// is no trouble.
Status write_sysctl(std::string_view name, std::string_view value);

}  // namespace weft::kernel
