#include "base/unix_time.h"

#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

std::chrono::system_clock::time_point time_at(std::int64_t seconds) {
  return UnixSeconds(std::chrono::seconds(seconds));
}

struct TimeCase {
  std::string text;
  std::optional<std::int64_t> seconds;
};

TEST(UnixTimeTest, Times) {
  for (const auto& [text, expected] : std::vector<TimeCase>{
           {"1970-01-01T00:00:00Z", 0},
           {"2027-01-15T08:01:00Z", 1'800'000'060},
           {"2024-02-29T23:59:59Z", 1'709'251'199},
           {"2023-02-29T23:59:59Z", std::nullopt},
           {"2027-1-15T08:01:00Z", std::nullopt},
           {"2027-01-15T08:01:00+01:00", std::nullopt},
           {"2027-01-15T08:01:00Zulu", std::nullopt},
           {"2027-01-15", std::nullopt},
           {"", std::nullopt},
       }) {
    const auto time = parse_time(text);
    ASSERT_EQ(time.has_value(), expected.has_value()) << text;
    if (!time) continue;
    EXPECT_EQ(time->time_since_epoch().count(), *expected) << text;
    EXPECT_EQ(print_time(*time), text);
  }
}

TEST(UnixTimeTest, TimesWithAFraction) {
  const auto time = parse_precise_time("2027-01-15T08:01:00.25Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(time->time_since_epoch(), std::chrono::milliseconds(1'800'000'060'250));
  EXPECT_EQ(print_precise_time(*time), "2027-01-15T08:01:00.250000000Z");
  EXPECT_EQ(parse_precise_time(print_precise_time(*time)), time);
  EXPECT_EQ(parse_precise_time("2027-01-15T08:01:00Z"), time_at(1'800'000'060));
  for (const char* text : {"", "2027-01-15T08:01:00.Z", "2027-01-15T08:01:00.5",
                           "2027-01-15T08:01:00.1234567890Z", "2027-01-15T08:01:00.5+01:00"})
    EXPECT_EQ(parse_precise_time(text), std::nullopt) << text;
}

}  // namespace
}  // namespace weft
