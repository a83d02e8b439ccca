// The daemon killed, and its calls failing, at the worst moment: at each of its system calls
// that write. The next run completes what is there, and nothing doubles or gets lost.
#include <set>

#include <gtest/gtest.h>

#include "base/files.h"
#include "cluster/subnet_env.h"
#include "overlay/vxlan_plan.h"
#include "store/directory_store.h"
#include "support/crashing_process.h"
#include "support/segment.h"

namespace weft::overlay {
namespace {

using test::must;
using test::Node;
using test::OverlayState;
using test::Spoil;

constexpr unsigned kMostWrites = 400;

class DaemonCrash : public testing::Test {
 protected:
  DaemonCrash() {
    must(write_file_atomically(store_dir() + "/config",
                               R"({"Network":"10.244.0.0/16","EnableNFTables":true,)"
                               R"("Backend":{"Type":"vxlan"}})",
                               0644));
    for (const std::string n : {"7", "8"})
      must(store_->create(LeaseKey::parse("10.244." + n + ".0-24").value(),
                          {.public_ipv4 = test::ip("192.0.2." + n),
                           .backend_type = "vxlan",
                           .backend_data = R"({"VNI":1,"VtepMAC":"02:00:00:00:00:0)" + n + "\"}"},
                          std::chrono::hours(24)));
  }

  std::string store_dir() const { return dir_.path() + "/store"; }
  std::vector<std::string> argv(Node& node) const {
    return {WEFTD,
            "flanneld",
            "--store=directory",
            "--store-dir=" + store_dir(),
            "--iface=eth0",
            "--ip-masq",
            "--subnet-file=" + node.subnet_file()};
  }
  // All is in the kernel and the daemon has said so.
  static bool settled(Node& node) {
    return node.peers() == 2 && node.status().find("\"ready\"") != std::string::npos;
  }
  // Runs the daemon undisturbed until all is as it should be.
  void complete(Node& node) {
    must(remove_file(node.status_file()));
    node.in([&] {
      test::run_daemon_and_spoil_write(argv(node), environment_, kMostWrites * 10, Spoil::kKill,
                                       [&] { return settled(node); });
    });
  }
  // One lease of this node, two of the others, and the file tells of it.
  void expect_whole(Node& node, unsigned n) {
    EXPECT_TRUE(settled(node)) << "after write " << n << ": " << node.status();
    const auto view = must(store_->list());
    EXPECT_TRUE(view.broken.empty()) << "after write " << n;
    ASSERT_EQ(view.leases.size(), 3U) << "after write " << n;
    const auto env = must(SubnetEnv::parse(must(read_file(node.subnet_file()))));
    EXPECT_TRUE(view.leases.contains(env.lease_key())) << "after write " << n;
    const OverlayState state = node.overlay_state();
    ASSERT_EQ(state.vteps.size(), 1U);
    EXPECT_EQ(VtepData::parse(view.leases.at(env.lease_key()).attributes.backend_data)->mac,
              state.vteps[0].mac)
        << "after write " << n;
    EXPECT_EQ(state.tables.fdb.size(), 2U);
    EXPECT_EQ(state.addresses.size(), 1U);
  }
  void remove_own_lease() {
    for (const auto& [key, lease] : must(store_->list()).leases)
      if (lease.attributes.public_ipv4 == test::ip("192.0.2.1")) must(store_->remove(lease));
  }

  const std::vector<std::string> environment_{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  test::TempDir dir_;
  std::unique_ptr<DirectoryStore> store_ = must(DirectoryStore::open(dir_.path() + "/store"));
};

TEST_F(DaemonCrash, KilledAtAnyWriteIsCompletedByTheNextRun) {
  unsigned n = 0;
  for (bool reached = true; reached && n < kMostWrites; ++n) {
    test::Segment segment;
    auto node = segment.add_node({"192.0.2.1/24"});
    reached = node->in([&] {
      return test::run_daemon_and_spoil_write(argv(*node), environment_, n, Spoil::kKill,
                                              [&] { return settled(*node); });
    });
    complete(*node);
    expect_whole(*node, n);
    remove_own_lease();
  }
  EXPECT_GT(n, 20U);
  EXPECT_LT(n, kMostWrites);
}

TEST_F(DaemonCrash, AFailingWriteIsTriedAgainOrEndsTheDaemonAndTheNextRunCompletes) {
  unsigned n = 0;
  for (bool reached = true; reached && n < kMostWrites; ++n) {
    test::Segment segment;
    auto node = segment.add_node({"192.0.2.1/24"});
    reached = node->in([&] {
      return test::run_daemon_and_spoil_write(argv(*node), environment_, n, Spoil::kFail,
                                              [&] { return settled(*node); });
    });
    if (!settled(*node)) complete(*node);
    expect_whole(*node, n);
    remove_own_lease();
  }
  EXPECT_GT(n, 20U);
  EXPECT_LT(n, kMostWrites);
}

}  // namespace
}  // namespace weft::overlay
