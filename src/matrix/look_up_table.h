// look_up_table.h: a look-up for people and for programs. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "base/marks.h"
#include "matrix/look_up.h"

namespace weft::matrix {

/// Each name, why it was asked for, and below it a line for each question.
std::string to_table(const LookUp& looked_up, const LineStyle& style);

/// {"name", "addresses", "steps": [{"name", "reason", "too_long", "asked": [{"type", "server",
/// "code", "addresses", "why", "ttl", "source", "took_us", "failure"}]}]}; what is not known is
/// null or empty.
Json to_json(const LookUp& looked_up);

}  // namespace weft::matrix
