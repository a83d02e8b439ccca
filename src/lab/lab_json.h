// lab_json.h: a lab as JSON, for its state file, and what other JSON about labs shares with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "lab/model.h"

namespace weft::lab {

std::string to_json(const Lab& lab);

/// What to_json() wrote: parse_lab(to_json(lab)) equals lab.
Result<Lab> parse_lab(std::string_view json);

/// Addresses, prefixes and the like as an array of their texts.
template <class Value>
Json texts(const std::vector<Value>& values) {
  Json array = Json::array();
  for (const auto& value : values) array.push_back(value.to_string());
  return array;
}

}  // namespace weft::lab
