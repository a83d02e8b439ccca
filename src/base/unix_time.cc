#include "base/unix_time.h"

#include <ctime>

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

}  // namespace weft
