// The whole agent against the real kernel and the directory store: several nodes on a segment.
#include <filesystem>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"
#include "cluster/subnet_env.h"
#include "kernel/monitor.h"
#include "store/directory_store.h"
#include "support/datagram.h"
#include "support/log_lines.h"
#include "support/segment.h"

namespace weft::overlay {
namespace {

using test::datagram_arrives;
using test::eventually;
using test::ip;
using test::mac;
using test::must;
using test::Node;
using test::OverlayState;
using test::prefix;

class AgentTest : public testing::Test {
 protected:
  void configure(const std::string& net_conf) {
    must(write_file_atomically(dir_.path() + "/store/config", net_conf, 0644));
  }
  void configure_vxlan(const std::string& members = "") {
    // The nodes' own subnets are random ones from .100 on; what tests name lies below.
    configure(R"({"Network":"10.244.0.0/16","SubnetMin":"10.244.100.0",)"
              R"("Backend":{"Type":"vxlan")" +
              members + "}}");
  }
  std::string lease_folder() const { return dir_.path() + "/store/subnets"; }

  // A lease of a node that is not there.
  void add_peer(const std::string& key, const std::string& public_ip, const std::string& vtep_mac) {
    must(must(store_->create(LeaseKey::parse(key).value(),
                             {.public_ipv4 = ip(public_ip),
                              .backend_type = "vxlan",
                              .backend_data = R"({"VNI":1,"VtepMAC":")" + vtep_mac + "\"}"},
                             std::chrono::hours(24)))
                 .has_value()
             ? Status()
             : Status(fail("the key is taken")));
  }

  bool ready(Node& node, std::size_t peers) {
    return eventually(
        [&] { return std::filesystem::exists(node.subnet_file()) && node.peers() == peers; });
  }

  test::TempDir dir_;
  std::unique_ptr<DirectoryStore> store_ = must(DirectoryStore::open(dir_.path() + "/store"));
  test::Segment segment_;
};

SubnetEnv subnet_env(Node& node) {
  return must(SubnetEnv::parse(must(read_file(node.subnet_file()))));
}

// Gives a node the gateway address of its pods, as the bridge plugin will.
IpAddress add_pod_gateway(Node& node) {
  const Prefix subnet = subnet_env(node).subnets.at(Family::kIpv4);
  must(node.rtnetlink().create({.name = "cni0", .kind = "bridge", .up = true}));
  const IpAddress gateway = subnet.address().plus(1).value();
  must(node.rtnetlink().add(
      {.key = {.link = node.link("cni0").index, .address = {gateway, subnet.length()}}}));
  return gateway;
}

TEST_F(AgentTest, TwoNodesCarryEachOthersPackets) {
  configure_vxlan();
  auto first = segment_.add_node({"192.0.2.1/24"});
  auto second = segment_.add_node({"192.0.2.2/24"});
  first->start_agent(*store_);
  second->start_agent(*store_);
  ASSERT_TRUE(ready(*first, 1));
  ASSERT_TRUE(ready(*second, 1));
  const IpAddress here = add_pod_gateway(*first);
  const IpAddress there = add_pod_gateway(*second);
  EXPECT_TRUE(datagram_arrives(*first, here, *second, there));
  EXPECT_TRUE(datagram_arrives(*second, there, *first, here));

  const Link vtep = first->link("flannel.1");
  EXPECT_EQ(vtep.mtu, 1450U);
  EXPECT_EQ(vtep.vxlan->local, ip("192.0.2.1"));
  const SubnetEnv env = subnet_env(*first);
  EXPECT_EQ(env.mtu, 1450U);
  EXPECT_TRUE(env.masquerade);
  EXPECT_TRUE(first->stop_agent());
}

TEST_F(AgentTest, NothingStaysOfAFormerBackend) {
  auto first = segment_.add_node({"192.0.2.1/24"});
  auto second = segment_.add_node({"192.0.2.2/24"});
  std::optional<std::pair<IpAddress, IpAddress>> pods;
  const auto devices = [](Node& node) {
    std::vector<std::string> names;
    for (const auto& link : must(node.rtnetlink().links()))
      if (link.name.starts_with("flannel")) names.push_back(link.name);
    return names;
  };
  using Names = std::vector<std::string>;
  for (const auto& [backend, expected] :
       {std::pair("vxlan", Names{"flannel.1"}), std::pair("udp", Names{"flannel0"}),
        std::pair("host-gw", Names{}), std::pair("vxlan", Names{"flannel.1"}),
        std::pair("host-gw", Names{}), std::pair("udp", Names{"flannel0"}),
        std::pair("vxlan", Names{"flannel.1"})}) {
    configure(std::string(R"({"Network":"10.244.0.0/16","Backend":{"Type":")") + backend + "\"}}");
    for (Node* node : {first.get(), second.get()}) node->start_agent(*store_);
    for (Node* node : {first.get(), second.get()})
      ASSERT_TRUE(eventually([&] { return std::filesystem::exists(node->subnet_file()); }));
    if (!pods) pods = {add_pod_gateway(*first), add_pod_gateway(*second)};
    EXPECT_TRUE(eventually([&] {
      return devices(*first) == expected && devices(*second) == expected &&
             datagram_arrives(*first, pods->first, *second, pods->second) &&
             datagram_arrives(*second, pods->second, *first, pods->first);
    })) << backend;
    for (Node* node : {first.get(), second.get()}) EXPECT_TRUE(node->stop_agent());
  }
}

struct Sabotage {
  const char* name;
  const char* command;  // in the node's namespace
};

class DriftTest : public AgentTest, public testing::WithParamInterface<Sabotage> {};

TEST_P(DriftTest, IsRepairedWithoutARestart) {
  configure_vxlan();
  add_peer("10.244.7.0-24", "192.0.2.7", "02:00:00:00:00:07");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  ASSERT_TRUE(ready(*node, 1));
  const auto rules = [&] { return node->sh("iptables -t nat -S") + node->sh("iptables -S"); };
  ASSERT_TRUE(eventually([&] { return rules().find("FLANNEL-FWD -d") != std::string::npos; }));
  OverlayState before = node->overlay_state();
  const std::string rules_before = rules();
  node->sh(GetParam().command);
  const auto whole = [&] {
    OverlayState now = node->overlay_state();
    // A device that was made anew has another number; all else is as it was.
    const auto number_aside = [](OverlayState& state) {
      std::vector<std::string> text;
      for (auto& vtep : state.vteps) vtep.index = LinkIndex::kNone;
      for (const auto& [key, route] : state.tables.routes) text.push_back(describe(route, "x"));
      for (const auto& [key, neighbour] : state.tables.neighbours)
        text.push_back(describe(key) + neighbour.mac.to_string());
      for (const auto& [key, entry] : state.tables.fdb)
        text.push_back(describe(key) + entry.remote->to_string());
      return text;
    };
    OverlayState was = before;
    return number_aside(now) == number_aside(was) && now.vteps == was.vteps &&
           now.addresses == was.addresses && rules() == rules_before;
  };
  EXPECT_TRUE(eventually(whole, std::chrono::seconds(5))) << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(
    Of, DriftTest,
    testing::Values(
        Sabotage{"ADeletedVtep", "ip link del flannel.1"},
        Sabotage{"AVtepSetDown", "ip link set flannel.1 down"},
        Sabotage{"AChangedMac", "ip link set flannel.1 address 02:00:00:00:00:99"},
        Sabotage{"AChangedMtu", "ip link set flannel.1 mtu 1300"},
        Sabotage{"ADeletedAddress", "ip addr flush dev flannel.1 primary"},
        Sabotage{"ADeletedRoute", "ip route del 10.244.7.0/24"},
        Sabotage{"AChangedRoute", "ip route replace 10.244.7.0/24 dev flannel.1"},
        Sabotage{"AStrayRoute", "ip route add 10.244.99.0/24 via 10.244.7.0 dev flannel.1 onlink"},
        Sabotage{"ADeletedNeighbour", "ip neigh del 10.244.7.0 dev flannel.1"},
        Sabotage{
            "AChangedNeighbour",
            "ip neigh replace 10.244.7.0 lladdr 02:00:00:00:00:66 dev flannel.1 nud permanent"},
        Sabotage{"ADeletedForwardingEntry", "bridge fdb del 02:00:00:00:00:07 dev flannel.1"},
        Sabotage{"AStrayForwardingEntry",
                 "bridge fdb add 02:00:00:00:00:55 dev flannel.1 dst 192.0.2.55"},
        Sabotage{"AFlushedNatTable", "iptables -t nat -F"},
        Sabotage{"AFlushedFilterTable", "iptables -F"},
        Sabotage{"AFlushedRuleset", "nft flush ruleset"},
        Sabotage{"ADeletedJump", "iptables -D FORWARD 1"},
        Sabotage{"AnExtraRuleOfOurChain", "iptables -I FLANNEL-FWD -j DROP"}),
    [](const auto& of) { return std::string(of.param.name); });

TEST_F(AgentTest, AnUplinkThatGoesDownAndComesUpChangesNothingForLong) {
  configure(R"({"Network":"10.244.0.0/16","Backend":{"Type":"host-gw"}})");
  must(must(store_->create(LeaseKey::parse("10.244.7.0-24").value(),
                           {.public_ipv4 = ip("192.0.2.7"), .backend_type = "host-gw"},
                           std::chrono::hours(24)))
               .has_value()
           ? Status()
           : Status(fail("taken")));
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  ASSERT_TRUE(ready(*node, 1));
  const OverlayState before = node->overlay_state();
  node->sh("ip link set eth0 down");
  EXPECT_EQ(node->peers(), 0U);  // the kernel drops routes through a gateway with the link
  node->sh("ip link set eth0 up");
  EXPECT_TRUE(eventually([&] { return node->overlay_state() == before; }));
}

TEST_F(AgentTest, ARestartKeepsTheMacAndTheSubnetAndTouchesNothing) {
  configure_vxlan();
  add_peer("10.244.7.0-24", "192.0.2.7", "02:00:00:00:00:07");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  ASSERT_TRUE(ready(*node, 1));
  ASSERT_TRUE(eventually(
      [&] { return node->sh("iptables -S").find("FLANNEL-FWD -d") != std::string::npos; }));
  EXPECT_TRUE(node->stop_agent());
  const OverlayState before = node->overlay_state();
  const std::string env = must(read_file(node->subnet_file()));

  std::atomic<int> changes{0};
  const auto monitor = node->in([&] {
    using kernel::Topic;
    return must(kernel::Monitor::start(
        {Topic::kLink, Topic::kAddress, Topic::kRoute, Topic::kNeighbour, Topic::kNftables},
        [&](const kernel::KernelEvent&) { ++changes; }));
  });
  const auto leases_before = must(store_->list());
  node->start_agent(*store_);
  // The lease is written anew as the agent comes up; then a pass has been made.
  ASSERT_TRUE(eventually([&] { return must(store_->list()) != leases_before; }));
  ASSERT_TRUE(eventually([&] { return node->status().find("\"ready\"") != std::string::npos; }));
  EXPECT_TRUE(node->stop_agent());
  EXPECT_EQ(node->overlay_state(), before);
  EXPECT_EQ(must(read_file(node->subnet_file())), env);
  EXPECT_EQ(changes, 0);
}

TEST_F(AgentTest, WhatADepartedNodeLeftIsPrunedAtTheStart) {
  configure_vxlan();
  add_peer("10.244.7.0-24", "192.0.2.7", "02:00:00:00:00:07");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  ASSERT_TRUE(ready(*node, 1));
  const OverlayState before = node->overlay_state();
  EXPECT_TRUE(node->stop_agent());
  node->sh("ip route add 10.244.9.0/24 via 10.244.9.0 dev flannel.1 onlink");
  node->sh("ip neigh add 10.244.9.0 lladdr 02:00:00:00:00:09 dev flannel.1 nud permanent");
  node->sh("bridge fdb add 02:00:00:00:00:09 dev flannel.1 dst 192.0.2.9");
  node->start_agent(*store_);
  EXPECT_TRUE(eventually([&] { return node->overlay_state() == before; }));
}

TEST_F(AgentTest, APeerThatLeavesTakesItsEntriesWithIt) {
  configure_vxlan();
  auto first = segment_.add_node({"192.0.2.1/24"});
  first->start_agent(*store_);
  ASSERT_TRUE(ready(*first, 0));
  add_peer("10.244.7.0-24", "192.0.2.7", "02:00:00:00:00:07");
  EXPECT_TRUE(eventually([&] { return first->overlay_state().tables.fdb.size() == 1; }));
  const auto lease = must(store_->list()).leases.at(LeaseKey::parse("10.244.7.0-24").value());
  EXPECT_TRUE(must(store_->remove(lease)));
  EXPECT_TRUE(eventually([&] { return first->overlay_state().tables == ForwardingTables(); }));
}

TEST_F(AgentTest, AForeignRouteStaysAndTheOtherPeersAreProgrammed) {
  configure_vxlan();
  add_peer("10.244.7.0-24", "192.0.2.7", "02:00:00:00:00:07");
  add_peer("10.244.8.0-24", "192.0.2.8", "02:00:00:00:00:08");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->sh("ip route add 10.244.7.0/24 dev eth0 proto static");
  node->start_agent(*store_);
  ASSERT_TRUE(ready(*node, 1));
  EXPECT_NE(node->sh("ip route").find("10.244.7.0/24 dev eth0 proto static"), std::string::npos);
  EXPECT_NE(node->sh("ip route").find("10.244.8.0/24 via 10.244.8.0 dev flannel.1 onlink"),
            std::string::npos);
  // It is told, and when it goes the peer gets its route.
  node->sh("ip route del 10.244.7.0/24 dev eth0");
  EXPECT_TRUE(eventually([&] { return node->peers() == 2; }));
}

TEST_F(AgentTest, APeerGetsItsRouteAsSoonAsAForeignOneOfAnyDeviceHasGone) {
  configure_vxlan();
  add_peer("10.244.7.0-24", "192.0.2.7", "02:00:00:00:00:07");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->sh("ip link add veth1 type veth peer name veth2");
  node->sh("ip link set veth1 up");
  node->sh("ip route add 10.244.7.0/24 dev veth1 proto static");
  node->start_agent(*store_);
  ASSERT_TRUE(
      eventually([&] { return node->status().find("10.244.7.0/24") != std::string::npos; }));
  node->sh("ip route del 10.244.7.0/24 dev veth1");
  EXPECT_TRUE(eventually([&] { return node->peers() == 1; }, std::chrono::seconds(5)));
}

// What another node publishes is that node's fault: this one is ready, and says what it did
// not take.
TEST_F(AgentTest, WhatAHostileNodePublishesLeavesThisOneReadyAndItsPeersProgrammed) {
  configure_vxlan();
  add_peer("10.244.7.0-24", "192.0.2.7", "02:00:00:00:00:07");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  ASSERT_TRUE(ready(*node, 1));
  const auto is_told = [&](const std::string& words) {
    return eventually([&] {
      const std::string status = node->status();
      return status.find("\"ready\"") != std::string::npos &&
             status.find(words) != std::string::npos;
    });
  };
  must(write_file_atomically(lease_folder() + "/10.244.8.0-24", "{\"PublicIP\":", 0644));
  EXPECT_TRUE(is_told("10.244.8.0-24: not a lease")) << node->status();
  add_peer("10.244.9.0-24", "192.0.2.9", "$(reboot)");
  EXPECT_TRUE(is_told("(and 1 more)")) << node->status();
  EXPECT_EQ(node->peers(), 1U);
  std::filesystem::remove(lease_folder() + "/10.244.8.0-24");
  EXPECT_TRUE(is_told("lease 10.244.9.0/24: not programmed")) << node->status();
  std::filesystem::remove(lease_folder() + "/10.244.9.0-24");
  EXPECT_TRUE(is_told("\"reason\":\"\"")) << node->status();
}

TEST_F(AgentTest, AStoreThatIsGoneChangesNothingAndIsFollowedAgain) {
  configure_vxlan();
  add_peer("10.244.7.0-24", "192.0.2.7", "02:00:00:00:00:07");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  ASSERT_TRUE(ready(*node, 1));
  const OverlayState before = node->overlay_state();
  const std::string store = dir_.path() + "/store";
  std::filesystem::rename(store, store + ".away");
  // Drift is repaired from what is known, although the store is not there.
  node->sh("ip route del 10.244.7.0/24");
  EXPECT_TRUE(eventually([&] { return node->overlay_state() == before; }));
  std::filesystem::rename(store + ".away", store);
  add_peer("10.244.8.0-24", "192.0.2.8", "02:00:00:00:00:08");
  EXPECT_TRUE(eventually([&] { return node->peers() == 2; }));
}

TEST_F(AgentTest, ABrokenLeaseIsSkippedAndTheOthersAreKept) {
  configure_vxlan();
  add_peer("10.244.7.0-24", "192.0.2.7", "02:00:00:00:00:07");
  must(write_file_atomically(lease_folder() + "/10.244.8.0-24", "{\"PublicIP\":", 0644));
  must(write_file_atomically(lease_folder() + "/hello", "{}", 0644));
  add_peer("10.244.9.0-24", "192.0.2.9", "02:00:00:00:00:09");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  EXPECT_TRUE(ready(*node, 2));
}

// As two clones of one machine have it, or two nodes behind one address of a NAT.
TEST_F(AgentTest, TwoNodesWithOnePublicAddressSayItAndLetTheLeaseRest) {
  configure_vxlan();
  const test::LogLines log;
  const auto same = [](AgentOptions& options) {
    options.node.uplink.public_addresses[Family::kIpv4] = ip("198.51.100.1");
  };
  auto first = segment_.add_node({"192.0.2.1/24"});
  auto second = segment_.add_node({"192.0.2.2/24"});
  first->start_agent(*store_, same);
  ASSERT_TRUE(ready(*first, 0));
  second->start_agent(*store_, same);
  ASSERT_TRUE(ready(*second, 0));
  EXPECT_EQ(subnet_env(*first), subnet_env(*second));
  const auto alarms = [&] { return log.count("has the public address 198.51.100.1"); };
  EXPECT_TRUE(eventually([&] { return alarms() == 2; }));
  // From now on neither answers the other.
  std::optional<Lease> written;
  EXPECT_TRUE(eventually([&] {
    const Lease lease = must(store_->list()).leases.begin()->second;
    written = must(store_->replace(lease, lease.attributes, std::chrono::hours(24)));
    return written.has_value();
  }));
  add_peer("10.244.7.0-24", "192.0.2.7", "02:00:00:00:00:07");
  EXPECT_TRUE(ready(*first, 1));
  EXPECT_TRUE(ready(*second, 1));
  EXPECT_EQ(must(store_->list()).leases.at(written->key).version, written->version);
}

TEST_F(AgentTest, AnOwnLeaseThatIsDeletedIsTakenAgainWithTheSameSubnet) {
  configure_vxlan();
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  ASSERT_TRUE(ready(*node, 0));
  const auto leases = must(store_->list()).leases;
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_TRUE(must(store_->remove(leases.begin()->second)));
  EXPECT_TRUE(eventually([&] {
    const auto now = must(store_->list()).leases;
    return now.size() == 1 && now.begin()->first == leases.begin()->first;
  }));
  EXPECT_EQ(must(store_->list()).leases.begin()->second.attributes,
            leases.begin()->second.attributes);
}

TEST_F(AgentTest, AReservationStaysAReservation) {
  configure_vxlan();
  const LeaseKey key = LeaseKey::parse("10.244.142.0-24").value();
  must(
      store_->create(key, {.public_ipv4 = ip("192.0.2.1"), .backend_type = "vxlan"}, std::nullopt));
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  ASSERT_TRUE(ready(*node, 0));
  const auto lease = must(store_->list()).leases.at(key);
  EXPECT_TRUE(lease.reserved);
  EXPECT_NE(lease.attributes.backend_data.find("VtepMAC"), std::string::npos);
}

TEST_F(AgentTest, TheUplinksNewAddressIsPublishedAndUsed) {
  configure_vxlan();
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  ASSERT_TRUE(ready(*node, 0));
  const LeaseKey key = must(store_->list()).leases.begin()->first;
  node->sh("ip addr del 192.0.2.1/24 dev eth0");
  node->sh("ip addr add 192.0.2.11/24 dev eth0");
  EXPECT_TRUE(eventually([&] {
    const LeaseView view = must(store_->list());
    // The device is made anew, and for a moment there is none.
    const auto vtep = must(node->rtnetlink().link("flannel.1"));
    return view.leases.at(key).attributes.public_ipv4 == ip("192.0.2.11") && vtep &&
           vtep->vxlan->local == ip("192.0.2.11");
  }));
}

TEST_F(AgentTest, TheUplinksNewMtuReachesTheVtepAndSubnetEnv) {
  configure_vxlan();
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  ASSERT_TRUE(ready(*node, 0));
  node->sh("ip link set eth0 mtu 1400");
  EXPECT_TRUE(eventually(
      [&] { return node->link("flannel.1").mtu == 1350 && subnet_env(*node).mtu == 1350; }));
}

TEST_F(AgentTest, DirectRoutingUsesThePlainNetworkBetweenNeighbours) {
  configure_vxlan(R"(,"DirectRouting":true)");
  add_peer("10.244.7.0-24", "192.0.2.7", "02:00:00:00:00:07");
  add_peer("10.244.8.0-24", "198.51.100.8", "02:00:00:00:00:08");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->sh("ip route add default via 192.0.2.254");
  node->start_agent(*store_);
  ASSERT_TRUE(ready(*node, 2));
  const std::string routes = node->sh("ip route");
  EXPECT_NE(routes.find("10.244.7.0/24 via 192.0.2.7 dev eth0"), std::string::npos) << routes;
  EXPECT_NE(routes.find("10.244.8.0/24 via 10.244.8.0 dev flannel.1 onlink"), std::string::npos);
}

TEST_F(AgentTest, DualStackHasADeviceForEachFamilyWithItsOwnOverhead) {
  configure(R"({"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:244::/48",
                "Backend":{"Type":"vxlan"}})");
  auto first = segment_.add_node({"192.0.2.1/24", "2001:db8::1/64"});
  auto second = segment_.add_node({"192.0.2.2/24", "2001:db8::2/64"});
  first->start_agent(*store_);
  second->start_agent(*store_);
  ASSERT_TRUE(ready(*first, 2));
  ASSERT_TRUE(ready(*second, 2));
  EXPECT_EQ(first->link("flannel.1").mtu, 1450U);
  EXPECT_EQ(first->link("flannel-v6.1").mtu, 1430U);
  const SubnetEnv env = subnet_env(*first);
  EXPECT_EQ(env.mtu, 1430U);
  EXPECT_TRUE(env.subnets.contains(Family::kIpv6));
  const std::string ping_target =
      subnet_env(*second).subnets.at(Family::kIpv6).address().to_string();
  EXPECT_NE(first->sh("ip -6 route get " + ping_target).find("dev flannel-v6.1"),
            std::string::npos);
  // What is right stays untouched: the kernel's own default metric is no difference.
  std::atomic<int> changes{0};
  const auto monitor = first->in([&] {
    return must(kernel::Monitor::start({kernel::Topic::kRoute, kernel::Topic::kNeighbour},
                                       [&](const kernel::KernelEvent&) { ++changes; }));
  });
  EXPECT_FALSE(eventually([&] { return changes > 0; }, std::chrono::milliseconds(300)));
}

TEST_F(AgentTest, NftablesModeSurvivesAFlushAndAcceptsWhereIptablesDrops) {
  configure(R"({"Network":"10.244.0.0/16","EnableNFTables":true,"Backend":{"Type":"vxlan"}})");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  const auto table = [&] { return node->sh("nft list tables"); };
  ASSERT_TRUE(eventually([&] { return table().find("ip flannel-ipv4") != std::string::npos; }));
  const std::string rules = node->sh("nft list table ip flannel-ipv4");
  EXPECT_NE(rules.find("meta mark & 0x00004000 == 0x00004000 return"), std::string::npos) << rules;
  node->sh("nft flush ruleset");
  EXPECT_TRUE(eventually([&] {
    return table().find("flannel-ipv4") != std::string::npos &&
           node->sh("nft list table ip flannel-ipv4") == rules;
  }));
  EXPECT_EQ(node->sh("iptables -S").find("FLANNEL-FWD"), std::string::npos);
  node->sh("iptables -P FORWARD DROP");
  EXPECT_TRUE(eventually(
      [&] { return node->sh("iptables -S FORWARD").find("-j FLANNEL-FWD") != std::string::npos; }));
}

TEST_F(AgentTest, TheForwardRulesStandBeforeARejectThatComesLater) {
  configure_vxlan();
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  const auto forward = [&] { return node->sh("iptables -S FORWARD"); };
  ASSERT_TRUE(eventually([&] { return forward().find("FLANNEL-FWD") != std::string::npos; }));
  node->sh("iptables -I FORWARD -j REJECT");
  EXPECT_TRUE(eventually([&] {
    const std::string rules = forward();
    return rules.find("-j FLANNEL-FWD") < rules.find("-j REJECT");
  }));
}

// What the agent cannot work with ends it with one sentence that names the next step.
struct Unusable {
  const char* name;
  const char* net_conf;
  const char* interface;
  const char* sentence;
};

class UnusableTest : public AgentTest, public testing::WithParamInterface<Unusable> {};

TEST_P(UnusableTest, EndsWithASentence) {
  configure(GetParam().net_conf);
  auto node = segment_.add_node({"192.0.2.1/24"});
  AgentOptions options;
  options.node.uplink.interfaces = {GetParam().interface};
  options.node.subnet_file = node->subnet_file();
  Status ended;
  std::jthread([&] {
    ASSERT_EQ(::setns(node->netns().fd(), CLONE_NEWNET), 0);
    ended = run_agent(*store_, options, {});
  }).join();
  ASSERT_FALSE(ended);
  EXPECT_NE(ended.error().what.find(GetParam().sentence), std::string::npos)
      << ended.error().text();
  EXPECT_FALSE(ended.error().next.empty()) << ended.error().text();
}

INSTANTIATE_TEST_SUITE_P(
    With, UnusableTest,
    testing::Values(
        Unusable{"AMalformedConfiguration", "{\"Network\":", "eth0", "net-conf.json is no JSON"},
        Unusable{"AContradictoryConfiguration",
                 R"({"Network":"10.0.0.0/16","SubnetLen":12,"Backend":{"Type":"vxlan"}})", "eth0",
                 "SubnetLen"},
        Unusable{"AnInterfaceThatDoesNotExist",
                 R"({"Network":"10.0.0.0/16","Backend":{"Type":"vxlan"}})", "eth7",
                 "no interface has that name"},
        Unusable{
            "AnInterfaceWithoutAnAddress",
            R"({"Network":"10.0.0.0/16","EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fd00::/48","Backend":{"Type":"vxlan"}})",
            "lo", "has no IPv6 address"}),
    [](const auto& of) { return std::string(of.param.name); });

TEST_F(AgentTest, AFullNetworkIsToldInTheStatusAndALeaseThatFreesUpIsTaken) {
  configure(R"({"Network":"10.244.0.0/28","Backend":{"Type":"vxlan"}})");
  add_peer("10.244.0.4-30", "192.0.2.4", "02:00:00:00:00:04");
  add_peer("10.244.0.8-30", "192.0.2.8", "02:00:00:00:00:08");
  add_peer("10.244.0.12-30", "192.0.2.12", "02:00:00:00:00:12");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  EXPECT_TRUE(eventually([&] {
    return node->status().find("no subnet is free in 10.244.0.0/28: 3 leased") != std::string::npos;
  }));
  const auto lease = must(store_->list()).leases.at(LeaseKey::parse("10.244.0.8-30").value());
  EXPECT_TRUE(must(store_->remove(lease)));
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(node->subnet_file()); }));
}

TEST_F(AgentTest, AConfigurationThatComesLaterIsWaitedFor) {
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  EXPECT_TRUE(
      eventually([&] { return node->status().find("waiting-for-config") != std::string::npos; }));
  configure_vxlan();
  EXPECT_TRUE(ready(*node, 0));
}

}  // namespace
}  // namespace weft::overlay
