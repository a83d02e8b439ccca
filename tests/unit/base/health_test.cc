#include "base/health.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(HealthTest, TellsOnlyWhatIsNew) {
  Health health{Error{.what = "nothing has been read yet", .number = EAGAIN}};
  EXPECT_EQ(health.get().error().number, EAGAIN);
  EXPECT_TRUE(health.set({}));
  EXPECT_FALSE(health.set({}));
  EXPECT_TRUE(health.get());
  EXPECT_TRUE(health.set(fail("the server is away")));
  EXPECT_FALSE(health.set(fail("the server is away")));
  EXPECT_TRUE(health.set(fail("the server is away", "start it")));
  EXPECT_EQ(health.get().error().text(), "the server is away; start it");
}

}  // namespace
}  // namespace weft
