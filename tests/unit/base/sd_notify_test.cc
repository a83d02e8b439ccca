#include "base/sd_notify.h"

#include <stdlib.h>

#include <gtest/gtest.h>

#include "support/notify_listener.h"
#include "support/temp_dir.h"

namespace weft {
namespace {

TEST(ServiceManager, IsToldOverItsSocket) {
  const test::TempDir folder;
  for (const std::string& path : {folder.path() + "/notify", "@weft-" + folder.path()}) {
    const test::NotifyListener listener(path);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    const auto manager = ServiceManager::from_environment();
    EXPECT_EQ(::getenv("NOTIFY_SOCKET"), nullptr);
    EXPECT_TRUE(manager.ready());
    EXPECT_EQ(listener.next(), "READY=1");
    EXPECT_TRUE(manager.status("3 peers\nREADY=0"));
    EXPECT_EQ(listener.next(), "STATUS=3 peers READY=0");
    EXPECT_FALSE(manager.watchdog());
  }
}

TEST(ServiceManager, SaysHowOftenItWantsALifeSign) {
  ::setenv("NOTIFY_SOCKET", "/nowhere", 1);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(ServiceManager::from_environment().watchdog(), std::chrono::seconds(30));
  ::setenv("NOTIFY_SOCKET", "/nowhere", 1);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(ServiceManager::from_environment().watchdog()) << "it watches another process";
}

TEST(ServiceManager, ThatIsNotThereIsNoTrouble) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(ServiceManager::from_environment().ready());
}

TEST(ServiceManager, ThatHasGoneIsAnError) {
  ::setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
  EXPECT_FALSE(ServiceManager::from_environment().ready());
  ::setenv("NOTIFY_SOCKET", "no path", 1);
  EXPECT_FALSE(ServiceManager::from_environment().ready());
}

}  // namespace
}  // namespace weft
