// yaml.h: YAML as JSON values, so that one reader serves both.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace weft {

/// The documents of a YAML text, empty ones left out. Plain scalars are typed as in YAML 1.2's
/// core schema (null, true, false, integers, fractions), quoted ones are strings. Refuses what
/// JSON cannot hold (a key that is no scalar, a key given twice, an alias that holds itself) and
/// what would cost more than its text: 64 levels, 100,000 values out of aliases. The error says the
/// line.
Result<std::vector<Json>> parse_yaml(std::string_view text);

/// The same value as YAML, in block style, with a line end behind it.
std::string print_yaml(const Json& value);

}  // namespace weft
