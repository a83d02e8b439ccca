#include "net/traffic_control.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

// The numbers are what the Go plugin computes from the same rate and burst.
TEST(TokenBucketTest, IsThatOfTheGoPlugin) {
  struct {
    std::uint64_t rate;
    std::uint32_t burst;
    std::uint32_t limit;
    std::uint32_t buffer;
  } const cases[] = {
      {1, 1, 1, 15'625'000},
      {125'000, 2'000, 5'125, 250'000},
      {1'000'000, 65'536, 90'536, 1'024'000},
      {1'250'000, 268'435'455, 268'466'705, 3'355'443'187},
      // Longer than 32 bits can tell: 214 seconds at ten times the length wrap around.
      {125'000, 268'435'455, 268'438'580, 3'489'660'803},
      {12'500'000'000, 4'294'967'294, 312'499'998, 5'368'703},
  };
  for (const auto& c : cases)
    EXPECT_EQ(token_bucket(c.rate, c.burst),
              (TokenBucket{.rate = c.rate, .limit = c.limit, .buffer = c.buffer}))
        << c.rate << " " << c.burst;
}

}  // namespace
}  // namespace weft
