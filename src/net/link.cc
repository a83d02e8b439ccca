#include "net/link.h"

#include <algorithm>

namespace weft {

bool is_valid_link_name(std::string_view name) {
  constexpr std::size_t kLongest = 15;  // IFNAMSIZ less its terminator
  if (name.empty() || name.size() > kLongest || name == "." || name == "..") return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    return c == '/' || c == ':' || c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
  });
}

}  // namespace weft
