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

// "1.5" of a unit.
std::optional<microseconds> times(std::string_view number, microseconds unit) {
  constexpr std::uint64_t kMost = 1'000'000;
  constexpr std::size_t kMostDigits = 6;
  const auto point = number.find('.');
  const auto whole = parse_number(number.substr(0, point));
  if (!whole || *whole > kMost) return std::nullopt;
  auto amount = static_cast<std::int64_t>(*whole) * unit;
  if (point == std::string_view::npos) return amount;
  const auto digits = number.substr(point + 1);
  const auto fraction = parse_number(digits);
  if (!fraction || digits.size() > kMostDigits) return std::nullopt;
  std::int64_t scale = 1;
  for (std::size_t i = 0; i < digits.size(); ++i) scale *= 10;
  return amount + static_cast<std::int64_t>(*fraction) * unit / scale;
}

// "1.5": a number of units, each of `size` microseconds.
std::string in_units(std::int64_t count, std::int64_t size) {
  std::string text = std::to_string(count / size);
  std::string fraction = std::to_string(size + count % size).substr(1);
  while (fraction.ends_with('0')) fraction.pop_back();
  return fraction.empty() ? text : text + "." + fraction;
}

}  // namespace

std::optional<microseconds> parse_go_duration(std::string_view text) {
  if (text == "0") return microseconds(0);
  if (text.empty()) return std::nullopt;
  microseconds total{};
  while (!text.empty()) {
    const std::string_view number = text.substr(0, text.find_first_not_of("0123456789."));
    text.remove_prefix(number.size());
    const std::string_view name = text.substr(0, text.find_first_of("0123456789"));
    text.remove_prefix(name.size());
    const auto unit = unit_of(name);
    const auto amount = unit ? times(number, *unit) : std::nullopt;
    if (!amount) return std::nullopt;
    total += *amount;
  }
  return total;
}

std::string print_go_duration(microseconds duration) {
  constexpr std::int64_t kSecond = 1'000'000;
  std::int64_t left = duration.count();
  if (left == 0) return "0s";
  if (left < 1000) return std::to_string(left) + "\u00b5s";
  if (left < kSecond) return in_units(left, 1000) + "ms";
  std::string text;
  const std::int64_t hours = left / (3600 * kSecond);
  left %= 3600 * kSecond;
  if (hours != 0) text += std::to_string(hours) + "h";
  if (hours != 0 || left >= 60 * kSecond) text += std::to_string(left / (60 * kSecond)) + "m";
  return text + in_units(left % (60 * kSecond), kSecond) + "s";
}

}  // namespace weft
