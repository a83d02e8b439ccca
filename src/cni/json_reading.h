// json_reading.h: addresses in JSON, as Go's net.IP and types.IPNet take them.
#pragma once

#include <optional>
#include <string_view>

#include "base/json.h"
#include "net/address.h"

namespace weft::cni {

/// An address; the IPv4 address itself where the text is IPv4-mapped IPv6, as Go has it.
std::optional<IpAddress> parse_ip(std::string_view text);

/// Absent, null and "" leave the target; anything that is no address is the reader's error.
void read_ip(ObjectReader& reader, std::string_view key, std::optional<IpAddress>& target);
/// "10.1.2.3/24", host bits kept.
void read_cidr(ObjectReader& reader, std::string_view key, std::optional<InterfaceAddress>& target);

}  // namespace weft::cni
