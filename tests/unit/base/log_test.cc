#include "base/log.h"

#include <thread>

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/thread_name.h"

namespace weft {
namespace {

std::string logged(LogFormat format, spdlog::level::level_enum level, const std::string& message,
                   LogThreads threads = LogThreads::kUnnamed) {
  testing::internal::CaptureStderr();
  set_up_log(format, level, threads);
  spdlog::info("{}", message);
  return testing::internal::GetCapturedStderr();
}

TEST(LogTest, TextIsOneLineWithTimeAndLevel) {
  const std::string line =
      logged(LogFormat::kText, spdlog::level::info, "route 10.3.1.0/24: put (missing)");
  EXPECT_TRUE(line.ends_with(" info route 10.3.1.0/24: put (missing)\n")) << line;
  EXPECT_EQ(line[10], 'T') << line;
}

TEST(LogTest, NoMessageBreaksItsJsonLine) {
  const std::string nasty = "a \"quote\", a \\ and\na new line\t\x01";
  const std::string line = logged(LogFormat::kJson, spdlog::level::info, nasty);
  ASSERT_TRUE(line.ends_with("\n"));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = parse_json(line);
  ASSERT_TRUE(json) << json.error().text() << ": " << line;
  EXPECT_EQ(json->at("msg"), nasty);
  EXPECT_EQ(json->at("level"), "info");
}

TEST(LogTest, ALineMaySayForWhomItsThreadWorks) {
  std::string text;
  std::string json;
  std::jthread([&] {
    set_thread_name("coredns");
    // The name is that of the threads it makes, too.
    std::jthread([&] {
      text = logged(LogFormat::kText, spdlog::level::info, "ready", LogThreads::kNamed);
      json = logged(LogFormat::kJson, spdlog::level::info, "ready", LogThreads::kNamed);
    }).join();
  }).join();
  EXPECT_TRUE(text.ends_with(" info coredns: ready\n")) << text;
  ASSERT_TRUE(parse_json(json)) << json;
  EXPECT_EQ(parse_json(json)->at("part"), "coredns");
}

TEST(LogTest, LevelIsKept) {
  EXPECT_EQ(logged(LogFormat::kText, spdlog::level::warn, "chatter"), "");
}

TEST(RateLimitTest, OncePerPauseAndKey) {
  const RateLimit::Clock::time_point start{};
  RateLimit limit(std::chrono::seconds(60));
  EXPECT_TRUE(limit.allows("etcd", start));
  EXPECT_FALSE(limit.allows("etcd", start + std::chrono::seconds(59)));
  EXPECT_TRUE(limit.allows("mtu", start + std::chrono::seconds(59)));
  EXPECT_TRUE(limit.allows("etcd", start + std::chrono::seconds(60)));
  EXPECT_FALSE(limit.allows("etcd", start + std::chrono::seconds(119)));
  limit.forget("etcd");
  EXPECT_TRUE(limit.allows("etcd", start + std::chrono::seconds(119)));
}

}  // namespace
}  // namespace weft
