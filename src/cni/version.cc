#include "cni/version.h"

#include "base/text.h"

namespace weft::cni {

std::optional<SpecVersion> SpecVersion::parse(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() > 3) return std::nullopt;
  std::array<int, 3> numbers{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto number = parse_number(parts[i]);
    if (!number || *number > 9999) return std::nullopt;
    numbers[i] = static_cast<int>(*number);
  }
  return SpecVersion{numbers[0], numbers[1], numbers[2]};
}

}  // namespace weft::cni
