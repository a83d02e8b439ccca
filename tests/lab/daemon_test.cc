#include "lab/daemon.h"

#include <signal.h>
#include <sys/wait.h>

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace weft::lab {
namespace {

TEST(Daemon, IsWaitedForUntilItServes) {
  const test::TempDir folder;
  const auto pid = start_daemon({.argv = {"sh", "-c", "echo serving; echo >&3; exec sleep 60"},
                                 .log = folder.path() + "/log",
                                 .tells_ready = true});
  ASSERT_TRUE(pid) << pid.error().text();
  EXPECT_EQ(last_line(folder.path() + "/log"), "serving");
  ::kill(*pid, SIGKILL);
  ::waitpid(*pid, nullptr, 0);
}

TEST(Daemon, ThatEndsBeforeItServesSaysWhy) {
  const test::TempDir folder;
  const auto pid = start_daemon({.argv = {"sh", "-c", "echo the port is taken; exit 1"},
                                 .log = folder.path() + "/log",
                                 .tells_ready = true});
  ASSERT_FALSE(pid);
  EXPECT_EQ(pid.error().what, "sh ended: the port is taken");
}

TEST(Daemon, ThatIsNotThereIsAnError) {
  const test::TempDir folder;
  const auto pid = start_daemon({.argv = {"no-such-program"}, .log = folder.path() + "/log"});
  ASSERT_FALSE(pid);
  EXPECT_NE(pid.error().what.find("no-such-program"), std::string::npos);
}

}  // namespace
}  // namespace weft::lab
