// random_names.h: names and addresses for devices that nobody else has.
#pragma once

#include <string>

#include "base/result.h"
#include "net/address.h"

namespace weft::cni {

/// "veth" and eight hexadecimal digits, as the Go plugins name the host's ends.
Result<std::string> random_veth_name();

/// A unicast, locally administered address. One that is given to a device at its creation is
/// left alone by udev, which rewrites those of the kernel's own choice.
Result<MacAddress> random_mac();

}  // namespace weft::cni
