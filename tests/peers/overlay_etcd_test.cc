// The agent on a real etcd: what flannel calls local subnet management.
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <utility>

#include <gtest/gtest.h>

#include "etcd_server.h"
#include "store/etcd_store.h"
#include "support/forwarding_store.h"
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
  /// The key of this node's lease; empty while it has none.
  std::string own_key() {
    for (const auto& [key, lease] : must(store_->list()).leases)
      if (lease.attributes.public_ipv4 == test::ip("192.0.2.1") ||
          lease.attributes.public_ipv6 == test::ip("2001:db8::1"))
        return subnet_key(key.to_string());
    return "";
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
  EXPECT_EQ(must(store_->list()).leases.size(), 2U);
  const std::string key = own_key();
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

// flannel compares the subnets alone: it keeps the address that the peer had before.
TEST_F(AgentOnEtcd, AMacThatChangedBeforeACompactionIsFollowed) {
  add_peer(7);
  node_->start_agent(*store_);
  ASSERT_TRUE(ready(1));
  etcd_->kill();
  etcd_->start_elsewhere();
  etcd_->put(subnet_key("10.244.7.0-24"), peer_value("192.0.2.77", "02:00:00:00:00:77"));
  etcd_->compact();
  etcd_->stop();
  etcd_->start();
  EXPECT_TRUE(eventually([&] {
    const auto tables = node_->overlay_state().tables;
    return tables.fdb.size() == 1 && tables.neighbours.size() == 1 &&
           tables.fdb.begin()->first.mac == test::mac("02:00:00:00:00:77") &&
           tables.fdb.begin()->second.remote == test::ip("192.0.2.77") &&
           tables.neighbours.begin()->second.mac == test::mac("02:00:00:00:00:77");
  }));
}

// With flannel the second snapshot removes what belongs to the node itself.
TEST_F(AgentOnEtcd, TheOwnLeaseIsNeverAPeerNorRemovedAfterACompaction) {
  add_peer(7);
  node_->start_agent(*store_);
  ASSERT_TRUE(ready(1));
  const OverlayState before = node_->overlay_state();
  const std::string key = own_key();
  etcd_->kill();
  etcd_->start_elsewhere();
  add_peer(8);
  etcd_->compact();
  etcd_->stop();
  etcd_->start();
  ASSERT_TRUE(eventually([&] { return node_->peers() == 2; }));
  etcd_->erase(subnet_key("10.244.8.0-24"));
  EXPECT_TRUE(eventually([&] { return node_->overlay_state() == before; }));
  EXPECT_EQ(own_key(), key);
}

TEST_F(AgentOnEtcd, AMalformedEventRemovesNoPeer) {
  add_peer(7);
  node_->start_agent(*store_);
  ASSERT_TRUE(ready(1));
  const OverlayState before = node_->overlay_state();
  etcd_->put(subnet_key("10.244.8.0-24"), R"({"PublicIP":7)");
  ASSERT_TRUE(eventually(
      [&] { return node_->status().find("10.244.8.0-24: not a lease") != std::string::npos; }));
  EXPECT_NE(node_->status().find("\"ready\""), std::string::npos);
  EXPECT_EQ(node_->overlay_state(), before);
}

// A store in which another node takes the subnet just before this one does, the first time.
class OvertakenStore : public test::ForwardingStore {
 public:
  OvertakenStore(LeaseStore& store, std::function<void(const LeaseKey&)> overtake)
      : ForwardingStore(store), overtake_(std::move(overtake)) {}

  Result<std::optional<Lease>> create(const LeaseKey& key, const LeaseAttributes& attributes,
                                      std::optional<std::chrono::seconds> ttl) override {
    if (overtake_) std::exchange(overtake_, nullptr)(key);
    return ForwardingStore::create(key, attributes, ttl);
  }

 private:
  std::function<void(const LeaseKey&)> overtake_;
};

// The loser of this race ends flannel with exit code 1.
TEST_F(AgentOnEtcd, ALostRaceForASubnetIsRunAgainWithAnotherSubnet) {
  const std::string value = peer_value("192.0.2.7", "02:00:00:00:00:07");
  std::string lost;
  OvertakenStore store(*store_, [&](const LeaseKey& key) {
    lost = subnet_key(key.to_string());
    etcd_->put(lost, value);
  });
  node_->start_agent(store);
  ASSERT_TRUE(ready(1));
  EXPECT_EQ(etcd_->value_of(lost), value);
  EXPECT_NE(own_key(), lost);
  EXPECT_TRUE(node_->stop_agent());  // it uses the store of this test
}

// flannel writes over whatever is there when it wakes up.
TEST_F(AgentOnEtcd, ALeaseThatRanOutAndHasANewHolderIsNeverOverwritten) {
  node_->start_agent(*store_);
  ASSERT_TRUE(ready(0));
  const std::string former = own_key();
  etcd_->kill();
  etcd_->start_elsewhere();
  const std::string value = peer_value("192.0.2.7", "02:00:00:00:00:07");
  etcd_->put(former, value);
  etcd_->stop();
  etcd_->start();
  EXPECT_TRUE(eventually([&] { return node_->peers() == 1; }));
  EXPECT_TRUE(eventually([&] {
    const std::string own = own_key();
    return !own.empty() && own != former;
  }));
  EXPECT_EQ(etcd_->value_of(former), value);
}

// Every node without IPv4 publishes 0.0.0.0, which makes all of them one node to flannel.
TEST_F(AgentOnEtcd, NodesWithIpv6AloneAreToldApart) {
  etcd_->put(std::string(kPrefix) + "/config",
             R"({"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fd00:244::/48",)"
             R"("IPv6SubnetMin":"fd00:244:0:100::","Backend":{"Type":"vxlan"}})");
  const std::string other = subnet_key("0.0.0.0-0&fd00:244:0:7::-64");
  const std::string value =
      R"({"PublicIP":"0.0.0.0","PublicIPv6":"2001:db8::7","BackendType":"vxlan",)"
      R"("BackendV6Data":{"VNI":1,"VtepMAC":"02:00:00:00:00:07"}})";
  etcd_->put(other, value);
  node_->sh("ip addr add 2001:db8::1/64 dev eth0 nodad");
  node_->start_agent(*store_);
  ASSERT_TRUE(ready(1));
  const auto tables = node_->overlay_state().tables;
  EXPECT_EQ(tables.routes.begin()->first.destination, test::prefix("fd00:244:0:7::/64"));
  ASSERT_EQ(tables.fdb.size(), 1U);
  EXPECT_EQ(tables.fdb.begin()->second.remote, test::ip("2001:db8::7"));
  EXPECT_EQ(etcd_->value_of(other), value);

  const std::string own = own_key();
  EXPECT_EQ(own.rfind(subnet_key("0.0.0.0-0&fd00:244:0:"), 0), 0U) << own;
  EXPECT_EQ(etcd_->value_of(own),
            R"({"PublicIP":"0.0.0.0","PublicIPv6":"2001:db8::1","BackendType":"vxlan",)"
            R"("BackendV6Data":{"VNI":1,"VtepMAC":")" +
                node_->link("flannel-v6.1").mac.to_string() + R"("}})");
  EXPECT_TRUE(node_->stop_agent());
  node_->start_agent(*store_);
  EXPECT_TRUE(ready(1));
  EXPECT_EQ(own_key(), own);
}

struct DualStack {
  const char* backend;
  const char* device;  ///< of the routes, or how its name begins
  const char* peer_data;
};

class DualStackOnEtcd : public AgentOnEtcd, public testing::WithParamInterface<DualStack> {};

// One key and one value hold both families, in flannel's spelling.
TEST_P(DualStackOnEtcd, ANodeHoldsAndFollowsLeasesOfBothFamilies) {
  etcd_->put(std::string(kPrefix) + "/config",
             R"({"Network":"10.244.0.0/16","SubnetMin":"10.244.100.0","EnableIPv6":true,)"
             R"("IPv6Network":"fd00:244::/48","IPv6SubnetMin":"fd00:244:0:100::",)"
             R"("Backend":{"Type":")" +
                 std::string(GetParam().backend) + R"("}})");
  etcd_->put(subnet_key("10.244.7.0-24&fd00:244:0:7::-64"),
             R"({"PublicIP":"192.0.2.7","PublicIPv6":"2001:db8::7","BackendType":")" +
                 std::string(GetParam().backend) + "\"" + GetParam().peer_data + "}");
  node_->sh("ip addr add 2001:db8::1/64 dev eth0 nodad");
  node_->start_agent(*store_);
  ASSERT_TRUE(ready(2));
  const std::string own = own_key();
  EXPECT_EQ(own.rfind(subnet_key("10.244."), 0), 0U) << own;
  EXPECT_NE(own.find("-24&fd00:244:0:"), std::string::npos) << own;
  EXPECT_NE(etcd_->value_of(own).find(R"("PublicIP":"192.0.2.1","PublicIPv6":"2001:db8::1")"),
            std::string::npos);
  const std::string routes = node_->sh("ip route show") + node_->sh("ip -6 route show");
  EXPECT_NE(routes.find("10.244.7.0/24 via "), std::string::npos) << routes;
  EXPECT_NE(routes.find("fd00:244:0:7::/64 via "), std::string::npos) << routes;
  for (const char* words : {"10.244.7.0/24 via ", "fd00:244:0:7::/64 via "}) {
    const std::string line = routes.substr(routes.find(words), 120);
    EXPECT_NE(line.find(GetParam().device), std::string::npos) << line;
  }
  etcd_->erase(subnet_key("10.244.7.0-24&fd00:244:0:7::-64"));
  EXPECT_TRUE(ready(0));
}

INSTANTIATE_TEST_SUITE_P(
    By, DualStackOnEtcd,
    testing::Values(DualStack{"vxlan", "dev flannel",
                              R"(,"BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:07"},)"
                              R"("BackendV6Data":{"VNI":1,"VtepMAC":"02:00:00:00:06:07"})"},
                    DualStack{"host-gw", "dev eth0", ""}),
    [](const auto& of) { return std::string(of.param.backend) == "vxlan" ? "Vxlan" : "HostGw"; });

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
