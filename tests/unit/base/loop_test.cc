#include "base/loop.h"

#include <atomic>

#include <gtest/gtest.h>

#include "support/eventually.h"

namespace weft {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using test::eventually;

TEST(LoopTest, PassesAtOnceAndAfterANudge) {
  std::atomic<int> passes{0};
  Loop loop([&] {
    ++passes;
    return milliseconds(hours(1));
  });
  loop.start();
  EXPECT_TRUE(eventually([&] { return passes == 1; }));
  loop.nudge();
  EXPECT_TRUE(eventually([&] { return passes == 2; }));
}

TEST(LoopTest, PassesAgainWhenTheDelayIsOver) {
  std::atomic<int> passes{0};
  Loop loop([&] {
    ++passes;
    return milliseconds(1);
  });
  loop.start();
  EXPECT_TRUE(eventually([&] { return passes >= 5; }));
}

// However many nudges come during a pass, one pass follows; and that one does follow.
TEST(LoopTest, NudgesDuringAPassFoldIntoOne) {
  std::atomic<int> passes{0};
  std::atomic<bool> may_end{false};
  Loop loop([&] {
    ++passes;
    EXPECT_TRUE(eventually([&] { return may_end.load(); }));
    return milliseconds(hours(1));
  });
  loop.start();
  ASSERT_TRUE(eventually([&] { return passes == 1; }));
  for (int i = 0; i < 100; ++i) loop.nudge();
  may_end = true;
  EXPECT_TRUE(eventually([&] { return passes == 2; }));
  EXPECT_FALSE(eventually([&] { return passes > 2; }, milliseconds(50)));
}

TEST(LoopTest, DestructionWaitsForThePassAndStartsNoOther) {
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  {
    Loop loop([&] {
      ++begun;
      std::this_thread::sleep_for(milliseconds(30));
      ++ended;
      return milliseconds(hours(1));
    });
    loop.start();
    ASSERT_TRUE(eventually([&] { return begun == 1; }));
  }
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(ended, 1);
}

// Somebody who nudges all the time does not make it run hot.
TEST(LoopTest, RestsAsLongAsThePassAsksFor) {
  std::atomic<int> passes{0};
  Loop loop([&] {
    ++passes;
    return Rest(hours(1), milliseconds(200));
  });
  loop.start();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(eventually([&] {
    loop.nudge();
    return passes == 3;
  }));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(390));
}

// A nudge that comes before the start is not lost, and one after the stop does nothing.
TEST(LoopTest, MayBeNudgedBeforeTheStartAndAfterTheStop) {
  std::atomic<int> passes{0};
  Loop loop([&] {
    ++passes;
    return milliseconds(hours(1));
  });
  loop.nudge();
  loop.start();
  EXPECT_TRUE(eventually([&] { return passes == 2; }));
  loop.stop();
  loop.nudge();
  EXPECT_FALSE(eventually([&] { return passes > 2; }, milliseconds(30)));
}

TEST(BackoffTest, DoublesToTenSeconds) {
  const milliseconds rest(60'000);
  EXPECT_EQ(backoff(0, rest), rest);
  const std::vector<int> expected{100, 200, 400, 800, 1600, 3200, 6400, 10'000, 10'000};
  for (unsigned i = 0; i < expected.size(); ++i)
    EXPECT_EQ(backoff(i + 1, rest), milliseconds(expected[i]));
  EXPECT_EQ(backoff(4'000'000'000U, rest), milliseconds(10'000));
}

}  // namespace
}  // namespace weft
