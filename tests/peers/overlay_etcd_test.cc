// The agent on a real etcd: what flannel calls local subnet management.
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "etcd_server.h"
#include "store/etcd_store.h"
#include "support/segment.h"

namespace weft::overlay {
namespace {

using test::EtcdServer;
using test::eventually;
using test::must;
using test::Node;
using test::OverlayState;

constexpr const char* kPrefix = "/coreos.com/network";

std::string peer_value(const std::string& address, const std::string& vtep_mac) {
  return R"({"PublicIP":")" + address + R"(","PublicIPv6":null,"BackendType":"vxlan",)" +
         R"("BackendData":{"VNI":1,"VtepMAC":")" + vtep_mac + R"("}})";
}

// One node with an etcd on its own loopback; the other nodes are keys. The test's thread stands
// in the node's namespace throughout.
class AgentOnEtcd : public testing::Test {
 protected:
  void SetUp() override {
    etcd_ = std::make_unique<EtcdServer>();
    etcd_->put(std::string(kPrefix) + "/config",
               R"({"Network":"10.244.0.0/16","SubnetMin":"10.244.100.0",)"
               R"("Backend":{"Type":"vxlan"}})");
    store_ = must(EtcdStore::open(etcd_->options()));
  }
  void TearDown() override {
    node_->stop_agent();
    etcd_.reset();
  }

  void add_peer(int number) {
    const std::string n = std::to_string(number);
    etcd_->put(subnet_key("10.244." + n + ".0-24"),
               peer_value("192.0.2." + n, "02:00:00:00:00:0" + n));
  }
  static std::string subnet_key(const std::string& subnet) {
    return std::string(kPrefix) + "/subnets/" + subnet;
  }
  bool ready(std::size_t peers) {
    return eventually(
        [&] { return std::filesystem::exists(node_->subnet_file()) && node_->peers() == peers; });
  }

  test::Segment segment_;
  std::unique_ptr<Node> node_ = segment_.add_node({"192.0.2.1/24"});
  kernel::NetnsVisit visit_ = must(kernel::NetnsVisit::enter(node_->netns()));
  std::unique_ptr<EtcdServer> etcd_;
  std::unique_ptr<EtcdStore> store_;
};

TEST_F(AgentOnEtcd, PublishesFlannelsBytesAndFollowsFlannelsKeys) {
  add_peer(7);
  node_->start_agent(*store_);
  ASSERT_TRUE(ready(1));
  const auto leases = must(store_->list()).leases;
  ASSERT_EQ(leases.size(), 2U);
  const auto own = std::find_if(leases.begin(), leases.end(), [](const auto& entry) {
    return entry.second.attributes.public_ipv4 == test::ip("192.0.2.1");
  });
  ASSERT_NE(own, leases.end());
  const std::string key = subnet_key(own->first.to_string());
  EXPECT_EQ(etcd_->value_of(key),
            peer_value("192.0.2.1", node_->link("flannel.1").mac.to_string()));
  EXPECT_NE(etcd_->lease_of(key), 0);
  add_peer(8);
  EXPECT_TRUE(eventually([&] { return node_->peers() == 2; }));
  etcd_->erase(subnet_key("10.244.7.0-24"));
  EXPECT_TRUE(eventually([&] { return node_->peers() == 1; }));
}

TEST_F(AgentOnEtcd, AnOutageChangesNothingAndDriftIsRepairedMeanwhile) {
  const char* seconds = std::getenv("WEFT_OUTAGE_SECONDS");
  const std::chrono::seconds outage(seconds != nullptr ? std::atoi(seconds) : 3);
  add_peer(7);
  node_->start_agent(*store_);
  ASSERT_TRUE(ready(1));
  const OverlayState before = node_->overlay_state();
  etcd_->kill();
  node_->sh("ip route del 10.244.7.0/24");
  EXPECT_TRUE(eventually([&] { return node_->overlay_state() == before; }));
  EXPECT_FALSE(eventually([&] { return node_->overlay_state() != before; }, outage));
  etcd_->start();
  add_peer(8);
  EXPECT_TRUE(eventually([&] { return node_->peers() == 2; }));
}

TEST_F(AgentOnEtcd, AStartWithoutEtcdKeepsWhatIsThereAndGoesOnWhenItComes) {
  add_peer(7);
  node_->start_agent(*store_);
  ASSERT_TRUE(ready(1));
  EXPECT_TRUE(node_->stop_agent());
  const OverlayState before = node_->overlay_state();
  etcd_->kill();
  node_->start_agent(*store_);
  EXPECT_TRUE(
      eventually([&] { return node_->status().find("store-unreachable") != std::string::npos; }));
  EXPECT_EQ(node_->overlay_state(), before);
  etcd_->start();
  add_peer(8);
  EXPECT_TRUE(eventually([&] { return node_->peers() == 2; }));
}

TEST_F(AgentOnEtcd, CompactionWhileAwayIsCaughtUp) {
  add_peer(7);
  node_->start_agent(*store_);
  ASSERT_TRUE(ready(1));
  etcd_->kill();
  etcd_->start_elsewhere();
  etcd_->erase(subnet_key("10.244.7.0-24"));
  add_peer(8);
  add_peer(9);
  etcd_->compact();
  etcd_->stop();
  etcd_->start();
  EXPECT_TRUE(eventually([&] { return node_->peers() == 2; }));
}

TEST_F(AgentOnEtcd, AReservationStaysWithoutALease) {
  const std::string key = subnet_key("10.244.142.0-24");
  etcd_->put(key, R"({"PublicIP":"192.0.2.1","PublicIPv6":null})");
  node_->start_agent(*store_);
  ASSERT_TRUE(ready(0));
  EXPECT_TRUE(
      eventually([&] { return etcd_->value_of(key).find("VtepMAC") != std::string::npos; }));
  EXPECT_EQ(etcd_->lease_of(key), 0);
}

}  // namespace
}  // namespace weft::overlay
