#include "base/go_duration.h"

#include <cstdint>

#include "base/text.h"

namespace weft {
namespace {

using std::chrono::microseconds;

std::optional<microseconds> unit_of(std::string_view name) {
  if (name == "us") return std::chrono::microseconds(1);
  if (name == "ms") return std::chrono::milliseconds(1);
  if (name == "s") return std::chrono::seconds(1);
  if (name == "m") return std::chrono::minutes(1);
  if (name == "h") return std::chrono::hours(1);
  return std::nullopt;
}

}  // namespace

std::optional<microseconds> parse_go_duration(std::string_view text) {
  if (text == "0") return microseconds(0);
  if (text.empty()) return std::nullopt;
  microseconds total{};
  while (!text.empty()) {
    const std::string_view number = text.substr(0, text.find_first_not_of("0123456789"));
    text.remove_prefix(number.size());
    const std::string_view name = text.substr(0, text.find_first_of("0123456789"));
    text.remove_prefix(name.size());
    const auto count = parse_number(number);
    const auto unit = unit_of(name);
    constexpr std::uint64_t kMost = 1'000'000;
    if (!count || *count > kMost || !unit) return std::nullopt;
    total += static_cast<std::int64_t>(*count) * *unit;
  }
  return total;
}

}  // namespace weft
