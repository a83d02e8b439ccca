// iptables_save.h: what iptables-save prints, read. Pure; takes any bytes.
#pragma once

#include <string_view>

#include "base/result.h"
#include "net/iptables.h"

namespace weft::kernel {

/// Reads the output of iptables-save or ip6tables-save: any number of tables, with or without
/// counters. An output that is cut off (no COMMIT), rules outside a table or in a chain that
/// was not named, and whatever else iptables-save does not print are refused with the line's
/// number. So is a table that iptables-nft says it cannot show.
Result<IptablesTables> parse_iptables_save(std::string_view text);

}  // namespace weft::kernel
