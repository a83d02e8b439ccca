// lab_json.h: a lab as JSON, for its state file.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "lab/model.h"

namespace weft::lab {

std::string to_json(const Lab& lab);

/// What to_json() wrote: parse_lab(to_json(lab)) equals lab.
Result<Lab> parse_lab(std::string_view json);

}  // namespace weft::lab
