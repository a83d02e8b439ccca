#include "kernel/iptables.h"

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/process.h"
#include "fresh_netns.h"
#include "kernel/legacy_watch.h"

namespace weft::kernel {
namespace {

using test::in_fresh_netns;
using test::must;

class IptablesOfAFlavour : public testing::TestWithParam<const char*> {};

constexpr const char* kScript =
    "*nat\n"
    ":FLANNEL-POSTRTG - [0:0]\n"
    "-A POSTROUTING -m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG\n"
    "-A FLANNEL-POSTRTG -s 10.244.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE --random-fully\n"
    "COMMIT\n";

TEST_P(IptablesOfAFlavour, RestoresAndReadsBackInTheCallersNamespace) {
  in_fresh_netns([](Rtnetlink&) {
    const auto iptables = must(Iptables::find(Family::kIpv4, GetParam()));
    EXPECT_TRUE(iptables.version().has_random_fully());
    const auto expected_variant = std::string_view(GetParam()) == "nft"
                                      ? IptablesVersion::Variant::kNft
                                      : IptablesVersion::Variant::kLegacy;
    EXPECT_EQ(iptables.version().variant, expected_variant);
    must(iptables.restore(kScript));
    const auto nat = must(iptables.read("nat"));
    using Rules = std::vector<std::string>;
    EXPECT_EQ(nat.chains.at("POSTROUTING").policy, "ACCEPT");
    EXPECT_EQ(nat.chains.at("POSTROUTING").rules,
              Rules{"-m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG"});
    EXPECT_EQ(nat.chains.at("FLANNEL-POSTRTG").policy, std::nullopt);
    EXPECT_EQ(nat.chains.at("FLANNEL-POSTRTG").rules,
              Rules{"-s 10.244.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE --random-fully"});

    // Another namespace, entered by the same thread, has none of it.
    const Netns other = must(Netns::create());
    const auto visit = must(NetnsVisit::enter(other));
    EXPECT_FALSE(must(iptables.read("nat")).chains.contains("FLANNEL-POSTRTG"));
  });
}

TEST_P(IptablesOfAFlavour, AFailedRestoreChangesNothingAndSaysWhy) {
  in_fresh_netns([](Rtnetlink&) {
    const auto iptables = must(Iptables::find(Family::kIpv6, GetParam()));
    const auto before = must(iptables.read("nat"));
    const Status status = iptables.restore("*nat\n:X - [0:0]\n-A X -j NO-SUCH-TARGET\nCOMMIT\n");
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().text().find("restore refused: "), std::string::npos)
        << status.error().text();
    EXPECT_EQ(must(iptables.read("nat")), before);
  });
}

INSTANTIATE_TEST_SUITE_P(Iptables, IptablesOfAFlavour, testing::Values("nft", "legacy"),
                         [](const auto& each) { return std::string(each.param); });

TEST(Iptables, AMissingProgramIsNamed) {
  const auto iptables = Iptables::find(Family::kIpv4, "no-such-flavour");
  ASSERT_FALSE(iptables);
  EXPECT_EQ(iptables.error().text(),
            "iptables is not usable: there is no program iptables-no-such-flavour in PATH; install "
            "iptables, or use nftables instead");
}

// Counts the calls of a watch; waits for one at most ten seconds.
class Calls {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool wait_for_more_than(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return count_ > count; });
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

TEST(LegacyWatch, TellsWhenIptablesLegacyHasTakenTheLock) {
  in_fresh_netns([](Rtnetlink&) {
    std::string folder = testing::TempDir() + "weft-lock-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const std::string lock = folder + "/xtables.lock";
    const auto append_a_rule = [&] {
      must(run_or_fail(
          {.argv = {"iptables-legacy", "-A", "FORWARD", "-j", "ACCEPT"},
           .environment = std::vector<std::string>{std::string("PATH=") + std::getenv("PATH"),
                                                   "XTABLES_LOCKFILE=" + lock}}));
    };
    Calls calls;
    {
      const auto watch = must(LegacyWatch::start(lock, [&] { calls.add(); }));
      append_a_rule();
      EXPECT_TRUE(calls.wait_for_more_than(0));
      // Also when somebody has cleaned the folder in between.
      const int before = calls.count();
      must(remove_file(lock));
      EXPECT_TRUE(calls.wait_for_more_than(before));
      const int after_removal = calls.count();
      append_a_rule();
      EXPECT_TRUE(calls.wait_for_more_than(after_removal));
    }
    must(remove_tree(folder));
  });
}

TEST(LegacyWatch, AFolderThatIsNotThereIsAnError) {
  const auto watch = LegacyWatch::start("/nonexistent/xtables.lock", [] {});
  ASSERT_FALSE(watch);
  EXPECT_EQ(watch.error().number, ENOENT);
}

}  // namespace
}  // namespace weft::kernel
