// sysctl.h: kernel settings below /proc/sys as values.
#pragma once

#include <map>
#include <string>

namespace weft {

/// "net/ipv4/ip_forward" -> "1". Slashes, since a device name may hold dots.
using Sysctls = std::map<std::string, std::string>;

}  // namespace weft
