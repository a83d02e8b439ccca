#include "base/unix_time.h"

#include <ctime>

#include "base/text.h"

namespace weft {

UnixSeconds unix_now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::optional<UnixSeconds> parse_time(const std::string& text) {
  std::tm fields{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &fields);
  if (end == nullptr) return std::nullopt;
  const UnixSeconds time{std::chrono::seconds(::timegm(&fields))};
  // strptime takes less than the two digits of a field, and February 30.
  if (print_time(time) != text) return std::nullopt;
  return time;
}

std::string print_time(UnixSeconds time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm fields{};
  ::gmtime_r(&seconds, &fields);
  char text[64];
  const auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &fields);
  return {text, length};
}

std::optional<std::chrono::system_clock::time_point> parse_precise_time(const std::string& text) {
  const auto point = text.find('.');
  if (point == std::string::npos) return parse_time(text);
  const auto end = text.find_first_not_of("0123456789", point + 1);
  if (end == std::string::npos || end == point + 1 || end > point + 10) return std::nullopt;
  const auto seconds = parse_time(text.substr(0, point) + text.substr(end));
  std::string digits = text.substr(point + 1, end - point - 1);
  digits.resize(9, '0');
  const auto nanoseconds = parse_number(digits);
  if (!seconds || !nanoseconds) return std::nullopt;
  return *seconds + std::chrono::nanoseconds(*nanoseconds);
}

std::string print_precise_time(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(time - seconds).count();
  std::string text = print_time(seconds);
  text.pop_back();
  const std::string digits = std::to_string(rest);
  return text + "." + std::string(9 - digits.size(), '0') + digits + "Z";
}

}  // namespace weft
