#include "cni/arguments.h"

#include <algorithm>

#include "base/text.h"

namespace weft::cni {
namespace {

CniResult<bool> parse_bool(std::string_view value, std::string_view pair) {
  std::string lower(value);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (lower == "1" || lower == "true") return true;
  if (lower == "0" || lower == "false") return false;
  return refuse("ARGS: error parsing value of pair " + in_quotes(pair) +
                ": boolean unmarshal error: invalid input " + lower);
}

}  // namespace

CniResult<Arguments> parse_arguments(std::string_view text,
                                     std::initializer_list<std::string_view> known) {
  Arguments arguments;
  if (text.empty()) return arguments;
  bool ignore_unknown = false;
  std::string unknown;
  for (const auto& pair : split(text, ';')) {
    const auto halves = split(pair, '=');
    if (halves.size() != 2) return refuse("ARGS: invalid pair " + in_quotes(pair));
    if (halves[0] == "IgnoreUnknown") {
      ASSIGN_OR_RETURN(ignore_unknown, parse_bool(halves[1], pair));
    } else if (std::find(known.begin(), known.end(), halves[0]) != known.end()) {
      arguments[halves[0]] = halves[1];
    } else {
      unknown += (unknown.empty() ? "" : " ") + in_quotes(pair);
    }
  }
  if (!unknown.empty() && !ignore_unknown) return refuse("ARGS: unknown args [" + unknown + "]");
  return arguments;
}

}  // namespace weft::cni
