// go_duration.h: durations as programs written in Go read them: "10s", "1m30s", "100ms".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

/// Of numbers with the units us, ms, s, m and h, or "0". Nothing for any other text, for numbers
/// above a million and fractions below a millionth.
std::optional<std::chrono::microseconds> parse_go_duration(std::string_view text);

/// As Go prints them: "1h0m0s", "30s", "1.5s", "250ms". REQUIRES a duration that is not negative.
std::string print_go_duration(std::chrono::microseconds duration);

}  // namespace weft
