#include "net/traffic_control.h"

namespace weft {
namespace {

constexpr double kMicroseconds = 1'000'000;      // in a second
constexpr double kTicksPerMicrosecond = 15.625;  // PSCHED_SHIFT, see /proc/net/psched
constexpr double kLongestWait = 25'000;          // microseconds

// What is too large for 32 bits loses its upper ones, as in the Go plugin on amd64.
std::uint32_t lower_bits(double value) {
  constexpr double kTooLarge = 9.2e18;
  return value < kTooLarge ? static_cast<std::uint32_t>(static_cast<std::int64_t>(value)) : 0;
}

}  // namespace

TokenBucket token_bucket(std::uint64_t bytes_per_second, std::uint32_t burst_bytes) {
  const auto rate = static_cast<double>(bytes_per_second);
  const std::uint32_t fill_time = lower_bits(burst_bytes * kMicroseconds / rate);
  return {.rate = bytes_per_second,
          .limit = lower_bits(rate * kLongestWait / kMicroseconds) + burst_bytes,
          .buffer = lower_bits(fill_time * kTicksPerMicrosecond)};
}

}  // namespace weft
