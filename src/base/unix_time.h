// unix_time.h: whole seconds of the wall clock, as leases and files hold them.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace weft {

using UnixSeconds = std::chrono::sys_seconds;

UnixSeconds unix_now();

/// "2026-01-31T12:00:00Z" (RFC 3339, in UTC and whole seconds: what print_time() gives).
std::optional<UnixSeconds> parse_time(const std::string& text);
std::string print_time(UnixSeconds time);

/// The same with a fraction of a second or without one, as Go's RFC3339Nano writes it.
std::optional<std::chrono::system_clock::time_point> parse_precise_time(const std::string& text);
/// "2026-01-31T12:00:00.123456789Z"
std::string print_precise_time(std::chrono::system_clock::time_point time);

}  // namespace weft
