#include "base/go_duration.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

using std::chrono::microseconds;

TEST(GoDuration, IsReadAsGoReadsIt) {
  EXPECT_EQ(parse_go_duration("10s"), microseconds(10'000'000));
  EXPECT_EQ(parse_go_duration("1m30s"), microseconds(90'000'000));
  EXPECT_EQ(parse_go_duration("1h"), microseconds(3'600'000'000));
  EXPECT_EQ(parse_go_duration("5ms7us"), microseconds(5007));
  EXPECT_EQ(parse_go_duration("1.5h"), microseconds(5'400'000'000));
  EXPECT_EQ(parse_go_duration("1m0.25s"), microseconds(60'250'000));
  EXPECT_EQ(parse_go_duration("0"), microseconds(0));
  EXPECT_EQ(parse_go_duration("0s"), microseconds(0));
  for (const char* text : {"", "10", ".5s", "1.s", "1.2.3s", "1.1234567s", "s", "10 s", "-1s", "1x",
                           "1s2", "1000001s", "99999999999999999999s"})
    EXPECT_EQ(parse_go_duration(text), std::nullopt) << text;
}

TEST(GoDuration, IsPrintedAsGoPrintsIt) {
  for (const auto& [text, us] :
       std::vector<std::pair<std::string, std::int64_t>>{{"0s", 0},
                                                         {"7\u00b5s", 7},
                                                         {"1.5ms", 1500},
                                                         {"250ms", 250'000},
                                                         {"1s", 1'000'000},
                                                         {"1.5s", 1'500'000},
                                                         {"1m30s", 90'000'000},
                                                         {"15m0s", 900'000'000},
                                                         {"1h0m0s", 3'600'000'000},
                                                         {"24h0m1.000001s", 86'401'000'001}})
    EXPECT_EQ(print_go_duration(microseconds(us)), text);
}

}  // namespace
}  // namespace weft
