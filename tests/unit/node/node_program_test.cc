#include "node/node_program.h"

#include <stdlib.h>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/lock_guarded.h"
#include "base/loop.h"
#include "base/thread_name.h"
#include "support/eventually.h"
#include "support/notify_listener.h"
#include "support/temp_dir.h"

namespace weft::node {
namespace {

using test::eventually;

void wait_for(const std::stop_token& stop) {
  while (pause(stop, std::chrono::hours(1))) {
  }
}

// A part that is ready at once and runs until it is asked to end.
Part steady(const std::string& name) {
  return {.name = name,
          .run = [](const std::stop_token& stop, const std::function<void()>& ready) -> Status {
            ready();
            wait_for(stop);
            return {};
          }};
}

// The parts, running until the object goes.
class Running {
 public:
  explicit Running(std::vector<Part> parts, const ServiceManager& manager = {})
      : thread_([this, parts = std::move(parts), manager](const std::stop_token& stop) {
          end_ = run_parts(parts, manager, stop);
        }) {}
  Status end() {
    thread_.request_stop();
    thread_.join();
    return end_;
  }

 private:
  Status end_;
  std::jthread thread_;
};

TEST(NodeProgram, APartThatFailsIsRunAgainAndTheOthersDoNotNotice) {
  std::atomic<int> runs = 0;
  std::atomic<int> steady_runs = 0;
  std::atomic<bool> steady_ended = false;
  Running node({{.name = "flaky",
                 .run = [&](const std::stop_token& stop, const auto& ready) -> Status {
                   if (++runs < 3) return fail("no luck");
                   ready();
                   wait_for(stop);
                   return {};
                 }},
                {.name = "steady", .run = [&](const std::stop_token& stop, const auto&) -> Status {
                   ++steady_runs;
                   wait_for(stop);
                   steady_ended = true;
                   return {};
                 }}});
  EXPECT_TRUE(eventually([&] { return runs == 3; }));
  EXPECT_EQ(steady_runs, 1);
  EXPECT_FALSE(steady_ended);
  EXPECT_TRUE(node.end());
  EXPECT_TRUE(steady_ended);
}

TEST(NodeProgram, APartThatEndsByItselfIsRunAgain) {
  std::atomic<int> runs = 0;
  Running node({{.name = "brief", .run = [&](const auto&, const auto&) -> Status {
                   ++runs;
                   return {};
                 }}});
  EXPECT_TRUE(eventually([&] { return runs >= 2; }));
  EXPECT_TRUE(node.end()) << "it was no failure that it was asked to end between two runs";
}

TEST(NodeProgram, AFailureAtTheEndNamesItsPart) {
  Running node({steady("one"),
                {.name = "other", .run = [&](const std::stop_token& stop, const auto&) -> Status {
                   wait_for(stop);
                   return fail("could not put its things away");
                 }}});
  const Status end = node.end();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().text(), "other: could not put its things away");
}

TEST(NodeProgram, ThreadsOfAPartHaveItsName) {
  LockGuarded<std::string> name;
  Running node(
      {{.name = "named", .run = [&](const std::stop_token& stop, const auto&) -> Status {
          std::jthread([&] { name.with([](std::string& text) { text = thread_name(); }); }).join();
          wait_for(stop);
          return {};
        }}});
  EXPECT_TRUE(eventually([&] { return name.copy() == "named"; }));
  EXPECT_TRUE(node.end());
}

TEST(NodeProgram, IsReadyWhenAllPartsAre) {
  const test::TempDir folder;
  const test::NotifyListener listener(folder.path() + "/notify");
  ::setenv("NOTIFY_SOCKET", (folder.path() + "/notify").c_str(), 1);
  ::setenv("WATCHDOG_USEC", "20000", 1);
  const auto manager = ServiceManager::from_environment();
  std::string told;
  const auto hears = [&](const std::string& words) {
    return eventually([&] {
      for (std::string next = listener.next(); next != "nothing"; next = listener.next())
        told += next + "\n";
      return told.find(words) != std::string::npos;
    });
  };
  std::atomic<bool> may_go_on = false;
  Running node({steady("one"),
                {.name = "other",
                 .run = [&](const std::stop_token& stop, const auto& ready) -> Status {
                   if (!may_go_on) return fail("not yet");
                   ready();
                   wait_for(stop);
                   return {};
                 }}},
               manager);
  EXPECT_TRUE(hears("STATUS=one: ready; other: not yet")) << told;
  EXPECT_TRUE(hears("WATCHDOG=1")) << told;
  EXPECT_EQ(told.find("READY=1"), std::string::npos) << told;
  may_go_on = true;
  EXPECT_TRUE(hears("READY=1")) << told;
  EXPECT_TRUE(hears("STATUS=one: ready; other: ready")) << told;
  EXPECT_TRUE(node.end());
  EXPECT_TRUE(hears("STOPPING=1")) << told;
}

}  // namespace
}  // namespace weft::node
