#include "store/directory_store.h"

#include <atomic>
#include <cstdio>
#include <thread>

#include <gtest/gtest.h>

#include "store/lease_file.h"
#include "support/leases.h"
#include "support/temp_dir.h"

namespace weft {
namespace {

using namespace test;  // NOLINT: the words of the tests
using std::chrono::milliseconds;
using std::chrono::seconds;

class DirectoryStoreTest : public testing::Test {
 protected:
  std::unique_ptr<DirectoryStore> open() {
    auto store = DirectoryStore::open(path_, [this] { return now_.load(); });
    EXPECT_TRUE(store) << store.error().text();
    return *std::move(store);
  }
  std::string file(const std::string& name) const { return path_ + "/subnets/" + name; }
  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(write_file_atomically(file(name), text, 0644));
  }

  test::TempDir folder_;
  std::string path_ = folder_.path() + "/store";
  std::atomic<std::chrono::system_clock::time_point> now_{
      std::chrono::system_clock::time_point(seconds(1'800'000'000))};
  std::unique_ptr<DirectoryStore> store_ = open();
};

TEST_F(DirectoryStoreTest, CreatesListsReplacesAndRemoves) {
  const auto created = store_->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(60));
  ASSERT_TRUE(created && *created);
  EXPECT_EQ((*created)->expiry, UnixSeconds(seconds(1'800'000'060)));
  EXPECT_EQ(store_->list()->leases.at(key("10.3.1.0-24")), **created);

  const auto replaced = store_->replace(**created, attributes("1.2.3.5"), seconds(90));
  ASSERT_TRUE(replaced && *replaced);
  EXPECT_GT((*replaced)->version, (*created)->version);
  EXPECT_EQ(*store_->expiry(**replaced), UnixSeconds(seconds(1'800'000'090)));
  EXPECT_FALSE(*store_->expiry(**created)) << "of a version that is gone";

  EXPECT_EQ(store_->remove(**created), false);
  EXPECT_EQ(store_->remove(**replaced), true);
  EXPECT_EQ(store_->remove(**replaced), true);
  EXPECT_TRUE(store_->list()->leases.empty());
}

TEST_F(DirectoryStoreTest, FileIsFlannelsValueAndReadable) {
  ASSERT_TRUE(
      *store_->create(key("10.3.1.0-24&fd00:12:13::-56"), attributes("1.2.3.4"), seconds(60)));
  EXPECT_EQ(*read_file(file("10.3.1.0-24&fd00:12:13::-56")),
            R"({"PublicIP":"1.2.3.4","PublicIPv6":null,"Expiration":"2027-01-15T08:01:00Z",)"
            R"("Version":1800000000000000})"
            "\n");
}

TEST_F(DirectoryStoreTest, NetworkConfig) {
  EXPECT_FALSE(*store_->network_config());
  ASSERT_TRUE(write_file_atomically(path_ + "/config", R"({"Network":"10.3.0.0/16"})", 0644));
  EXPECT_EQ(**store_->network_config(), R"({"Network":"10.3.0.0/16"})");
}

TEST_F(DirectoryStoreTest, HeldKeyIsNotCreatedAgain) {
  ASSERT_TRUE(*store_->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(60)));
  const auto again = open()->create(key("10.3.1.0-24"), attributes("1.2.3.5"), seconds(60));
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
}

TEST_F(DirectoryStoreTest, ExpiredLeaseIsGoneAndMayBeTaken) {
  const auto old = **store_->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(60));
  now_ = now_.load() + seconds(60);
  EXPECT_TRUE(store_->list()->leases.empty());
  EXPECT_FALSE(*store_->replace(old, attributes("1.2.3.4"), seconds(60)));
  const auto taken = store_->create(key("10.3.1.0-24"), attributes("1.2.3.5"), seconds(60));
  ASSERT_TRUE(taken && *taken);
  EXPECT_FALSE(*store_->replace(old, attributes("1.2.3.4"), seconds(60)))
      << "who slept past the expiry must not overwrite the new holder";
  EXPECT_EQ(store_->remove(old), false);
}

TEST_F(DirectoryStoreTest, VersionGrowsThoughTheClockStandsOrGoesBack) {
  auto lease = **store_->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(60));
  for (int i = 0; i < 3; ++i) {
    now_ = now_.load() - seconds(i);
    const auto next = **store_->replace(lease, attributes("1.2.3.4"), seconds(60));
    EXPECT_GT(next.version, lease.version);
    EXPECT_FALSE(*store_->replace(lease, attributes("1.2.3.4"), seconds(60)));
    lease = next;
  }
}

TEST_F(DirectoryStoreTest, ReservationStays) {
  write("10.3.1.0-24", kValue);
  now_ = now_.load() + std::chrono::hours(24 * 365);
  const Lease reserved = store_->list()->leases.at(key("10.3.1.0-24"));
  EXPECT_TRUE(reserved.reserved);
  const auto replaced = store_->replace(reserved, attributes("1.2.3.5"), std::nullopt);
  ASSERT_TRUE(replaced && *replaced) << "a file without a version has one all the same";
  EXPECT_TRUE(store_->list()->leases.at(key("10.3.1.0-24")).reserved);
}

TEST_F(DirectoryStoreTest, BrokenFilesAreNamedHoldTheirKeyAndLeaveTheOthers) {
  write("10.3.1.0-24", kValue);
  write("10.3.2.0-24", R"({"PublicIP":"1.2.)");
  write("10.3.3.0-24", R"({"PublicIP":"1.2.3.4","Expiration":"tomorrow"})");
  write("10.3.4.0-024", kValue);
  write("README", "what is here");
  ASSERT_TRUE(make_directories(file("10.3.5.0-24")));
  const auto view = store_->list();
  ASSERT_TRUE(view) << view.error().text();
  EXPECT_EQ(view->leases.size(), 1U);
  std::vector<std::string> names;
  for (const auto& broken : view->broken) names.push_back(broken.key);
  EXPECT_EQ(names, (std::vector<std::string>{"10.3.2.0-24", "10.3.3.0-24", "10.3.4.0-024",
                                             "10.3.5.0-24", "README"}));
  EXPECT_FALSE(*store_->create(key("10.3.2.0-24"), attributes("1.2.3.4"), seconds(60)));
  EXPECT_FALSE(*store_->replace(Lease{.key = key("10.3.2.0-24"), .attributes = {}, .version = 0},
                                attributes("1.2.3.4"), seconds(60)));
}

TEST_F(DirectoryStoreTest, LeftoversOfACrashAreIgnored) {
  write("10.3.1.0-24", kValue);
  write(".10.3.2.0-24.tmp-17-0", "half");
  EXPECT_EQ(store_->list()->leases.size(), 1U);
  EXPECT_TRUE(store_->list()->broken.empty());
}

TEST_F(DirectoryStoreTest, FolderThatIsGoneIsNoEmptyCluster) {
  ASSERT_TRUE(remove_tree(path_));
  for (const auto& status :
       {store_->list().map([](const auto&) {}), store_->network_config().map([](const auto&) {}),
        store_->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(60)).map([](const auto&) {
        })}) {
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().text().find(path_), std::string::npos);
  }
  ASSERT_TRUE(write_file_atomically(path_, "a file in its place", 0644));
  EXPECT_FALSE(store_->list());
  const auto opened = DirectoryStore::open(path_);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text().find(path_), std::string::npos);
}

TEST_F(DirectoryStoreTest, OneOfManyWinsEachRace) {
  constexpr unsigned kRounds = 20;
  constexpr int kRacers = 4;
  std::vector<std::atomic<int>> winners(kRounds);
  {
    std::vector<std::jthread> racers;
    for (int racer = 0; racer < kRacers; ++racer)
      racers.emplace_back([&, racer] {
        const auto store = open();
        for (unsigned i = 0; i < kRounds; ++i) {
          const auto lease = store->create(
              numbered(i), attributes("1.2.3." + std::to_string(racer + 1)), seconds(60));
          if (lease && *lease) ++winners[i];
        }
      });
  }
  for (const auto& count : winners) EXPECT_EQ(count, 1);
}

TEST_F(DirectoryStoreTest, OneOfManyTakesAnExpiredLease) {
  ASSERT_TRUE(*store_->create(key("10.3.1.0-24"), attributes("1.2.3.9"), seconds(1)));
  now_ = now_.load() + seconds(5);
  std::atomic<int> winners{0};
  {
    std::vector<std::jthread> racers;
    for (int i = 0; i < 4; ++i)
      racers.emplace_back([&] {
        const auto lease = open()->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(60));
        if (lease && *lease) ++winners;
      });
  }
  EXPECT_EQ(winners, 1);
}

TEST_F(DirectoryStoreTest, EachReplacementIsConditional) {
  constexpr int kRacers = 4;
  constexpr int kReplacements = 10;
  ASSERT_TRUE(*store_->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(60)));
  std::atomic<int> done{0};
  std::set<std::int64_t> versions;
  std::mutex mutex;
  {
    std::vector<std::jthread> racers;
    for (int i = 0; i < kRacers; ++i)
      racers.emplace_back([&] {
        const auto store = open();
        for (int mine = 0; mine < kReplacements;) {
          const auto seen = store->list()->leases.at(key("10.3.1.0-24"));
          const auto next = store->replace(seen, attributes("1.2.3.4"), seconds(60));
          if (!next || !*next) continue;
          ++mine;
          ++done;
          const std::lock_guard lock(mutex);
          versions.insert((*next)->version);
        }
      });
  }
  EXPECT_EQ(versions.size(), static_cast<std::size_t>(kRacers * kReplacements));
}

class DirectoryWatchTest : public DirectoryStoreTest {
 protected:
  void watch() {
    watch_ = store_->watch([this] { ++changes_; });
    ASSERT_TRUE(is_current(*watch_));
  }
  std::atomic<int> changes_{0};
  std::unique_ptr<LeaseWatch> watch_;
};

TEST_F(DirectoryWatchTest, SeesWhatComesChangesAndGoes) {
  write("10.3.1.0-24", kValue);
  watch();
  EXPECT_TRUE(sees(*watch_, "10.3.1.0-24"));
  const auto begun = std::chrono::steady_clock::now();
  const auto lease = **store_->create(key("10.3.2.0-24"), attributes("1.2.3.4"), seconds(60));
  EXPECT_TRUE(comes(*watch_, "10.3.2.0-24"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(2)) << "a nudge, not a poll";
  const auto next = **store_->replace(lease, attributes("1.2.3.5"), seconds(60));
  EXPECT_TRUE(
      eventually([&] { return watch_->view()->leases.at(lease.key).version == next.version; }));
  EXPECT_GT(changes_, 0);
  ASSERT_TRUE(*store_->remove(next));
  EXPECT_TRUE(goes(*watch_, "10.3.2.0-24"));
  EXPECT_TRUE(sees(*watch_, "10.3.1.0-24"));
}

TEST_F(DirectoryWatchTest, FileWrittenInPlaceIsReadWhenItIsClosed) {
  watch();
  std::FILE* stream = std::fopen(file("10.3.1.0-24").c_str(), "w");
  ASSERT_NE(stream, nullptr);
  std::fputs(kValue, stream);
  std::fclose(stream);
  EXPECT_TRUE(comes(*watch_, "10.3.1.0-24"));
  EXPECT_TRUE(eventually([&] { return watch_->view()->broken.empty(); }));
}

TEST_F(DirectoryWatchTest, BrokenFileIsNamedAndMended) {
  write("10.3.1.0-24", kValue);
  watch();
  write("10.3.2.0-24", "{");
  ASSERT_TRUE(eventually([&] { return watch_->view()->broken.size() == 1; }));
  EXPECT_TRUE(sees(*watch_, "10.3.1.0-24"));
  write("10.3.2.0-24", kValue);
  EXPECT_TRUE(comes(*watch_, "10.3.2.0-24"));
  EXPECT_TRUE(watch_->view()->broken.empty());
}

TEST_F(DirectoryWatchTest, ExpiryRemovesWithoutAnyEvent) {
  const auto store = *DirectoryStore::open(path_);
  const auto watch = store->watch([this] { ++changes_; });
  ASSERT_TRUE(*store->create(key("10.3.1.0-24"), attributes("1.2.3.4"), seconds(1)));
  ASSERT_TRUE(eventually([&] { return watch->view() && watch->view()->leases.size() == 1; }));
  const int before = changes_;
  EXPECT_TRUE(eventually([&] { return watch->view()->leases.empty(); }));
  EXPECT_TRUE(eventually([&] { return changes_ > before; }));
}

TEST_F(DirectoryWatchTest, FolderRemovedAndMadeAgain) {
  for (unsigned i = 0; i < 200; ++i) write(numbered(i).to_string(), kValue);
  watch();
  ASSERT_TRUE(remove_tree(path_));
  ASSERT_TRUE(eventually([&] { return !watch_->health(); }));
  EXPECT_NE(watch_->health().error().text().find(path_), std::string::npos);
  EXPECT_EQ(watch_->view()->leases.size(), 200U);
  ASSERT_TRUE(make_directories(path_ + "/subnets"));
  write("10.3.9.0-24", kValue);
  EXPECT_TRUE(eventually([&] { return watch_->view()->leases.size() == 1; }));
  EXPECT_TRUE(eventually([&] { return watch_->health().has_value(); }));
}

TEST_F(DirectoryWatchTest, FolderMovedAwayAndBack) {
  write("10.3.1.0-24", kValue);
  watch();
  const std::string elsewhere = folder_.path() + "/elsewhere";
  ASSERT_EQ(std::rename(path_.c_str(), elsewhere.c_str()), 0);
  ASSERT_TRUE(eventually([&] { return !watch_->health(); }));
  EXPECT_TRUE(sees(*watch_, "10.3.1.0-24"));
  ASSERT_TRUE(write_file_atomically(elsewhere + "/subnets/10.3.2.0-24", kValue, 0644));
  ASSERT_EQ(std::rename(elsewhere.c_str(), path_.c_str()), 0);
  EXPECT_TRUE(comes(*watch_, "10.3.2.0-24"));
  EXPECT_TRUE(eventually([&] { return watch_->health().has_value(); }));
}

TEST_F(DirectoryWatchTest, FiveThousandLeases) {
  constexpr unsigned kLeases = 5000;
  for (unsigned i = 0; i < kLeases; ++i) {
    std::FILE* stream = std::fopen(file(numbered(i).to_string()).c_str(), "w");
    ASSERT_NE(stream, nullptr);
    std::fputs(kValue, stream);
    std::fclose(stream);
  }
  watch();
  EXPECT_EQ(watch_->view()->leases.size(), std::size_t{kLeases});
  // More changes than the kernel's queue of events holds, if the reader is slow.
  for (unsigned i = 0; i < kLeases; i += 2) ASSERT_TRUE(remove_file(file(numbered(i).to_string())));
  EXPECT_TRUE(eventually([&] { return watch_->view()->leases.size() == kLeases / 2; }));
}

TEST_F(DirectoryWatchTest, EndsAtOnce) {
  watch();
  const auto begun = std::chrono::steady_clock::now();
  watch_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(1));
}

}  // namespace
}  // namespace weft
