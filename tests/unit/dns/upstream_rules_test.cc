// Which upstream is asked, how well it does, and when to try again: the arithmetic of forwarding.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dns/timer_wheel.h"
#include "dns/upstream_choice.h"
#include "dns/upstream_score.h"

namespace weft::dns {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Policy = ForwardOptions::Policy;

// A letter each: "u" up, "t" up and tried, "d" down, "D" down and tried, "l" looping.
std::vector<UpstreamState> upstreams(const std::string& letters) {
  std::vector<UpstreamState> states;
  for (const char c : letters)
    states.push_back(
        {.down = c == 'd' || c == 'D', .looping = c == 'l', .tried = c == 't' || c == 'D'});
  return states;
}

TEST(UpstreamChoice, WhoIsUpAndUntriedGoesFirst) {
  struct Case {
    const char* states;
    bool failfast;
    int expected;  // -1: nobody
  };
  const Case cases[] = {{"uuu", false, 0},  {"tuu", false, 1}, {"dtu", false, 2}, {"ddt", false, 2},
                        {"Ddl", false, 1},  {"Dl", false, 0},  {"tt", false, 0},  {"dd", false, 0},
                        {"lll", false, -1}, {"", false, -1},   {"dd", true, -1},  {"dt", true, 1},
                        {"ldDtu", false, 4}};
  for (const Case& each : cases) {
    const auto choice = choose_upstream(upstreams(each.states),
                                        {.policy = Policy::kSequential, .failfast = each.failfast});
    EXPECT_EQ(choice ? static_cast<int>(*choice) : -1, each.expected) << each.states;
  }
}

TEST(UpstreamChoice, RoundRobinTakesTurnsAmongTheBest) {
  std::string taken;
  for (std::uint32_t turn = 0; turn < 6; ++turn)
    taken += static_cast<char>(
        '0' + *choose_upstream(upstreams("utudu"), {.policy = Policy::kRoundRobin, .turn = turn}));
  EXPECT_EQ(taken, "024024");
}

TEST(UpstreamChoice, OfTwoAtRandomTheCheaperIsTaken) {
  auto states = upstreams("uuu");
  states[0].cost = 300;
  states[1].cost = 100;
  states[2].cost = 200;
  std::array<int, 3> taken{};
  constexpr std::uint32_t kPairs = 9;
  for (std::uint32_t pair = 0; pair < kPairs; ++pair)
    ++taken[*choose_upstream(states, {.random = pair / 3 << 16U | pair % 3})];
  EXPECT_EQ(taken, (std::array<int, 3>{1, 5, 3})) << "the best most often, and all of them";
}

TEST(UpstreamScore, TheTimeIsSmoothedAndTellsHowLongToWait) {
  UpstreamScore score;
  EXPECT_EQ(score.patience(), milliseconds(400)) << "nothing is known yet";
  EXPECT_EQ(score.cost().count(), 0) << "so that it is tried";
  score.answered(milliseconds(40));
  EXPECT_EQ(score.mean(), milliseconds(40));
  EXPECT_EQ(score.patience(), milliseconds(120));
  for (int i = 0; i < 50; ++i) score.answered(milliseconds(40));
  EXPECT_EQ(score.patience(), milliseconds(50)) << "never less, whatever is smooth";
  score.answered(seconds(3));
  EXPECT_EQ(score.patience(), milliseconds(400)) << "never more";
}

TEST(UpstreamScore, FailuresInARowAreCountedAndTheirShareFades) {
  UpstreamScore score;
  score.answered(milliseconds(1));
  for (unsigned i = 1; i <= 3; ++i) {
    score.failed();
    EXPECT_EQ(score.fails(), i);
  }
  const double worst = score.error_rate();
  EXPECT_GT(score.cost(), milliseconds(100));
  score.revived();
  EXPECT_EQ(score.fails(), 0U);
  EXPECT_EQ(score.error_rate(), worst) << "a health check says nothing of questions";
  score.disappointed();
  EXPECT_EQ(score.fails(), 0U) << "SERVFAIL is an answer";
  EXPECT_GT(score.error_rate(), worst);
  for (int i = 0; i < 60; ++i) score.answered(milliseconds(1));
  EXPECT_LT(score.error_rate(), 0.001);
}

class TimerWheelTest : public ::testing::Test {
 protected:
  using Time = TimerWheel::Time;
  Time at(int ms) const { return start_ + milliseconds(ms); }
  // Who is due by then, in order.
  std::vector<TimerWheel::Id> due(int ms) {
    std::vector<TimerWheel::Id> ids;
    wheel_.advance(at(ms), [&](TimerWheel::Id id) { ids.push_back(id); });
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  const Time start_ = Time(seconds(1'000'000));
  TimerWheel wheel_{8, start_};
  using Ids = std::vector<TimerWheel::Id>;
};

TEST_F(TimerWheelTest, EachIsDueOnceAfterItsTime) {
  wheel_.set(1, at(100), start_);
  wheel_.set(2, at(200), start_);
  wheel_.set(3, at(100), start_);
  EXPECT_EQ(wheel_.size(), 3U);
  EXPECT_EQ(due(90), Ids{});
  EXPECT_EQ(due(110), (Ids{1, 3}));
  EXPECT_EQ(due(190), Ids{});
  EXPECT_EQ(due(1000), Ids{2});
  EXPECT_EQ(due(20'000), Ids{});
  EXPECT_EQ(wheel_.size(), 0U);
}

TEST_F(TimerWheelTest, ItMayBeSetAnewOrClearedAtAnyTime) {
  wheel_.set(1, at(100), start_);
  wheel_.set(1, at(300), start_);
  wheel_.set(2, at(100), start_);
  wheel_.clear(2);
  wheel_.clear(2);
  EXPECT_EQ(wheel_.size(), 1U);
  EXPECT_EQ(due(200), Ids{});
  Ids called;
  wheel_.advance(at(310), [&](TimerWheel::Id id) {
    called.push_back(id);
    if (called.size() == 1) wheel_.set(5, at(310), at(310));
  });
  EXPECT_EQ(called, Ids{1}) << "what is set anew is due a tick later at the soonest";
  EXPECT_EQ(due(330), Ids{5});
}

TEST_F(TimerWheelTest, PastFarAwayAndAfterALongPause) {
  wheel_.set(1, at(-5'000), start_);
  wheel_.set(2, at(60'000), start_);
  EXPECT_EQ(due(10), Ids{1});
  EXPECT_EQ(due(10'300), Ids{2}) << "ten seconds are the most";
  wheel_.set(3, at(10'400), at(10'300));
  wheel_.set(4, at(19'000), at(10'300));
  EXPECT_EQ(due(500'000), (Ids{3, 4}));
  wheel_.set(6, at(500'050), at(500'000));
  EXPECT_EQ(due(500'100), Ids{6});
}

}  // namespace
}  // namespace weft::dns
