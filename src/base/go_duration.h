// go_duration.h: durations as programs written in Go read them: "10s", "1m30s", "100ms".
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace weft {

/// Of whole numbers with the units us, ms, s, m and h, or "0". Nothing for any other text, and for
/// numbers above a million.
std::optional<std::chrono::microseconds> parse_go_duration(std::string_view text);

}  // namespace weft
