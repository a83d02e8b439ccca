// Following leases in a real etcd through expiry, compaction, kills and outages.
#include <atomic>
#include <cstdlib>

#include <gtest/gtest.h>

#include "peers/etcd_server.h"
#include "store/etcd_store.h"
#include "support/leases.h"

namespace weft {
namespace {

using namespace test;  // NOLINT: the words of the tests
using std::chrono::seconds;

class EtcdWatchTest : public testing::Test {
 protected:
  EtcdWatchTest() {
    EtcdOptions options = server_.options();
    options.watch_silence = std::chrono::milliseconds(700);
    store_ = *EtcdStore::open(options);
  }

  void watch() {
    watch_ = store_->watch([this] { ++changes_; });
    ASSERT_TRUE(is_current(*watch_));
  }
  void put(const std::string& name) { server_.put("/coreos.com/network/subnets/" + name, kValue); }

  EtcdServer server_;
  std::unique_ptr<EtcdStore> store_;
  std::atomic<int> changes_{0};
  std::unique_ptr<LeaseWatch> watch_;
};

TEST_F(EtcdWatchTest, TestWatchLeaseAdded) {
  put("10.3.1.0-24");
  watch();
  EXPECT_TRUE(sees(*watch_, "10.3.1.0-24"));
  const int before = changes_;
  put("10.3.2.0-24");
  EXPECT_TRUE(comes(*watch_, "10.3.2.0-24"));
  EXPECT_GT(changes_, before);
  EXPECT_TRUE(sees(*watch_, "10.3.1.0-24"));
}

TEST_F(EtcdWatchTest, TestWatchLeaseRemoved) {
  watch();
  ASSERT_TRUE(*store_->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(3)));
  ASSERT_TRUE(comes(*watch_, "10.3.1.0-24"));
  EXPECT_TRUE(goes(*watch_, "10.3.1.0-24")) << "it runs out after 3 s";
  EXPECT_TRUE(watch_->health());
}

TEST_F(EtcdWatchTest, ChangedValueIsSeen) {
  watch();
  const auto lease = **store_->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(60));
  auto other = attributes("1.2.3.4");
  other.backend_type = "host-gw";
  ASSERT_TRUE(*store_->replace(lease, other, seconds(60)));
  EXPECT_TRUE(eventually([&] {
    const auto view = watch_->view();
    const auto found = view->leases.find(lease.key);
    return found != view->leases.end() && found->second.attributes.backend_type == "host-gw";
  }));
}

// A silent stream is opened anew; nothing may be lost between the two.
TEST_F(EtcdWatchTest, SilenceIsNoTrouble) {
  watch();
  const int before = changes_;
  EXPECT_FALSE(eventually([&] { return !watch_->health(); }, std::chrono::milliseconds(2500)));
  EXPECT_EQ(changes_, before) << "nobody needs to hear of it";
  put("10.3.1.0-24");
  EXPECT_TRUE(comes(*watch_, "10.3.1.0-24"));
}

TEST_F(EtcdWatchTest, BrokenValueIsNamedAndTheOthersStay) {
  put("10.3.1.0-24");
  watch();
  server_.put("/coreos.com/network/subnets/10.3.2.0-24", "<html>");
  ASSERT_TRUE(eventually([&] { return watch_->view()->broken.size() == 1; }));
  EXPECT_EQ(watch_->view()->broken[0].key, "10.3.2.0-24");
  EXPECT_TRUE(sees(*watch_, "10.3.1.0-24"));
  put("10.3.2.0-24");
  EXPECT_TRUE(comes(*watch_, "10.3.2.0-24"));
  EXPECT_TRUE(watch_->view()->broken.empty());
}

TEST_F(EtcdWatchTest, MemberKilledAndStartedAgain) {
  put("10.3.1.0-24");
  watch();
  server_.kill();
  ASSERT_TRUE(eventually([&] { return !watch_->health(); }));
  EXPECT_NE(watch_->health().error().text().find(server_.endpoint()), std::string::npos);
  EXPECT_TRUE(sees(*watch_, "10.3.1.0-24"));
  server_.start();
  put("10.3.2.0-24");
  server_.erase("/coreos.com/network/subnets/10.3.1.0-24");
  EXPECT_TRUE(comes(*watch_, "10.3.2.0-24"));
  EXPECT_TRUE(goes(*watch_, "10.3.1.0-24"));
  EXPECT_TRUE(watch_->health());
}

// The watch cannot be kept from reconnecting at once, so the history is forgotten before its
// port answers: everything happens at another port with the same data.
TEST_F(EtcdWatchTest, TestWatchSubnetsRecoversFromCompaction) {
  put("10.3.1.0-24");
  watch();
  server_.kill();
  server_.start_elsewhere();
  server_.erase("/coreos.com/network/subnets/10.3.1.0-24");
  for (int i = 0; i < 5; ++i) put("10.3.2.0-24");
  server_.compact();
  server_.stop();
  EXPECT_TRUE(sees(*watch_, "10.3.1.0-24"));
  server_.start();
  EXPECT_TRUE(comes(*watch_, "10.3.2.0-24"));
  EXPECT_TRUE(goes(*watch_, "10.3.1.0-24"));
  EXPECT_TRUE(eventually([&] { return watch_->health().has_value(); }));
}

TEST_F(EtcdWatchTest, OutageOfAnyLengthKeepsTheView) {
  const char* length = std::getenv("WEFT_OUTAGE_SECONDS");
  const seconds outage(length == nullptr ? 3 : std::atoi(length));
  put("10.3.1.0-24");
  watch();
  server_.kill();
  ASSERT_TRUE(eventually([&] { return !watch_->health(); }));
  EXPECT_FALSE(
      eventually([&] { return !sees(*watch_, "10.3.1.0-24") || watch_->health(); }, outage));
  server_.start();
  put("10.3.2.0-24");
  EXPECT_TRUE(comes(*watch_, "10.3.2.0-24"));
  EXPECT_TRUE(sees(*watch_, "10.3.1.0-24"));
}

// etcd restored from a backup counts its revisions from an earlier one.
TEST_F(EtcdWatchTest, StoreThatWentBackInTimeIsReadAnew) {
  for (int i = 0; i < 20; ++i) put("10.3.1.0-24");
  watch();
  server_.kill();
  server_.lose_data();
  server_.start();
  put("10.3.2.0-24");
  EXPECT_TRUE(comes(*watch_, "10.3.2.0-24"));
  EXPECT_TRUE(goes(*watch_, "10.3.1.0-24"));
}

TEST_F(EtcdWatchTest, StartsBeforeEtcdDoes) {
  put("10.3.1.0-24");
  server_.stop();
  watch_ = store_->watch([] {});
  EXPECT_TRUE(
      eventually([&] { return words(watch_->health()).find("refused") != std::string::npos; }));
  EXPECT_EQ(watch_->view(), nullptr) << "nothing is known, which is not the same as nothing";
  server_.start();
  EXPECT_TRUE(comes(*watch_, "10.3.1.0-24"));
}

TEST_F(EtcdWatchTest, EndsAtOnce) {
  watch();
  const auto begun = std::chrono::steady_clock::now();
  watch_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(1));
}

// A thousand revisions a message is what etcd sends at most when it catches up.
TEST_F(EtcdWatchTest, CatchesUpWithMoreThanOneMessageHolds) {
  watch();
  server_.kill();
  server_.start_elsewhere();
  for (int i = 0; i < 1500; ++i) put(numbered(static_cast<unsigned>(i)).to_string());
  server_.stop();
  server_.start();
  EXPECT_TRUE(eventually([&] { return watch_->view()->leases.size() == 1500; }));
}

}  // namespace
}  // namespace weft
