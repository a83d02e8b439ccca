#include "base/go_duration.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

using std::chrono::microseconds;

TEST(GoDuration, IsReadAsGoReadsIt) {
  EXPECT_EQ(parse_go_duration("10s"), microseconds(10'000'000));
  EXPECT_EQ(parse_go_duration("1m30s"), microseconds(90'000'000));
  EXPECT_EQ(parse_go_duration("1h"), microseconds(3'600'000'000));
  EXPECT_EQ(parse_go_duration("5ms7us"), microseconds(5007));
  EXPECT_EQ(parse_go_duration("0"), microseconds(0));
  EXPECT_EQ(parse_go_duration("0s"), microseconds(0));
  for (const char* text :
       {"", "10", "s", "10 s", "-1s", "1x", "1s2", "1000001s", "99999999999999999999s"})
    EXPECT_EQ(parse_go_duration(text), std::nullopt) << text;
}

}  // namespace
}  // namespace weft
