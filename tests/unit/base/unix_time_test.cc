#include "base/unix_time.h"

#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

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

}  // namespace
}  // namespace weft
