// iptables_words.h: the text of a rule, as iptables-save prints it, taken apart. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft {

/// The words of a rule as iptables-restore takes them apart: blanks separate, double or single
/// quotes hold together, a backslash takes the next byte as it is. Refuses an open quote.
Result<std::vector<std::string>> iptables_words(std::string_view rule);

/// Whether two texts say the same. The variants and releases of iptables print the conditions of a
/// rule in orders of their own, and some name a match that has no condition (`-m udp`).
bool same_rule(std::string_view left, std::string_view right);

}  // namespace weft
