// The rules among those of others: real packets through real iptables and nftables, in each of
// the three ways to write rules, with the rule sets that Docker and firewalld write.
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "cluster/subnet_env.h"
#include "kernel/sysctl.h"
#include "store/directory_store.h"
#include "support/datagram.h"
#include "support/segment.h"

namespace weft::overlay {
namespace {

using test::eventually;
using test::ip;
using test::must;
using test::Node;

// As of the time of kubernetes 1.9: what stands on the hosts of lab S2.
constexpr const char* kOldDocker = R"(*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION - [0:0]
:DOCKER-USER - [0:0]
:KUBE-FORWARD - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A FORWARD -m comment --comment "kubernetes forward rules" -j KUBE-FORWARD
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
-A DOCKER-ISOLATION -j RETURN
-A DOCKER-USER -j RETURN
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
COMMIT
)";

// Docker 28: nothing may reach a bridge from outside.
constexpr const char* kNewDocker = R"(*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
COMMIT
)";

// firewalld 1.3's table, as far as it concerns what is forwarded, for a host in zone public.
constexpr const char* kFirewalld = R"(table inet firewalld
delete table inet firewalld
table inet firewalld {
  chain filter_FORWARD {
    type filter hook forward priority 10; policy accept;
    ct state { established, related } accept
    ct status dnat accept
    iifname "lo" accept
    ct state invalid drop
    ip6 daddr { ::/96, 2002::/24 } reject with icmpv6 type addr-unreachable
    jump filter_FORWARD_ZONES
    reject with icmpx type admin-prohibited
  }
  chain filter_FORWARD_ZONES {
    iifname "eth0" goto filter_FWD_public
    goto filter_FWD_public
  }
  chain filter_FWD_public {
    jump filter_FWD_public_allow
    meta l4proto { icmp, ipv6-icmp } accept
  }
  chain filter_FWD_public_allow {
    tcp dport 22 ct state { new, untracked } accept
  }
}
)";

struct Mode {
  const char* name;
  bool legacy;    // iptables is the legacy variant
  bool nftables;  // EnableNFTables
};
constexpr Mode kModes[] = {
    {"IptablesNft", false, false}, {"IptablesLegacy", true, false}, {"Nftables", false, true}};

// Puts programs named iptables in front of the PATH, as a host that has chosen the legacy
// variant has them.
class LegacyPath {
 public:
  LegacyPath() : before_(::getenv("PATH")) {
    for (const char* name : {"iptables", "ip6tables"})
      for (const char* part : {"", "-save", "-restore"})
        std::filesystem::create_symlink("/usr/sbin/" + std::string(name) + "-legacy" + part,
                                        folder_.path() + "/" + name + part);
    ::setenv("PATH", (folder_.path() + ":" + before_).c_str(), 1);
  }
  ~LegacyPath() { ::setenv("PATH", before_.c_str(), 1); }

 private:
  test::TempDir folder_;
  std::string before_;
};

// Two nodes with an agent each; a pod on the second behind a bridge.
class RulesTest : public testing::Test {
 protected:
  void start(const Mode& mode, const std::string& bridge) {
    if (mode.legacy) legacy_.emplace();
    configure(mode.nftables);
    near_ = segment_.add_node({"192.0.2.1/24"});
    far_ = segment_.add_node({"192.0.2.2/24"});
    near_->start_agent(*store_);
    far_->start_agent(*store_);
    for (Node* node : {near_.get(), far_.get()}) {
      ASSERT_TRUE(eventually(
          [&] { return node->peers() == 1 && std::filesystem::exists(node->subnet_file()); }));
      must(node->in([] { return kernel::write_sysctl("net/ipv4/ip_forward", "1"); }));
    }
    near_address_ = add_bridge(*near_, bridge);
    add_pod(bridge, add_bridge(*far_, bridge));
  }

  void configure(bool nftables) {
    must(write_file_atomically(dir_.path() + "/store/config",
                               std::string(R"({"Network":"10.244.0.0/16","EnableNFTables":)") +
                                   (nftables ? "true" : "false") +
                                   R"(,"Backend":{"Type":"vxlan"}})",
                               0644));
  }

  static IpAddress add_bridge(Node& node, const std::string& name) {
    const Prefix subnet =
        must(SubnetEnv::parse(must(read_file(node.subnet_file())))).subnets.at(Family::kIpv4);
    must(node.rtnetlink().create({.name = name, .kind = "bridge", .up = true}));
    const IpAddress gateway = subnet.address().plus(1).value();
    must(node.rtnetlink().add(
        {.key = {.link = node.link(name).index, .address = {gateway, subnet.length()}}}));
    return gateway;
  }

  void add_pod(const std::string& bridge, const IpAddress& gateway) {
    pod_ = std::make_unique<Node>(must(kernel::Netns::create()));
    must(far_->rtnetlink().create(
        {.name = "pod0",
         .kind = "veth",
         .up = true,
         .master = far_->link(bridge).index,
         .peer = kernel::VethPeer{.name = "eth0", .netns_fd = pod_->netns().fd()}}));
    pod_address_ = gateway.plus(4).value();
    pod_->sh("ip link set eth0 up");
    pod_->sh("ip addr add " + pod_address_.to_string() + "/24 dev eth0");
    pod_->sh("ip route add default via " + gateway.to_string());
  }

  // A datagram from the first node's bridge to the pod: forwarded by the second node.
  bool arrives() { return test::datagram_arrives(*near_, near_address_, *pod_, pod_address_); }
  bool arrives_soon() {
    return eventually([&] { return arrives(); }, std::chrono::seconds(5));
  }

  // All of iptables here with -w: the lock of the legacy variant is the machine's, not the
  // namespace's, and another test or an agent may hold it.
  void restore(const char* rules) {
    must(far_->in([&] {
      return run_or_fail({.argv = {"iptables-restore", "-w"}, .input = rules});
    }));
  }
  void nft(const std::string& rules) {
    must(far_->in([&] { return run_or_fail({.argv = {"nft", "-f", "-"}, .input = rules}); }));
  }
  bool has(const std::string& command, const std::string& text) {
    return far_->sh(command).find(text) != std::string::npos;
  }
  std::string order_of_forward() { return far_->sh("iptables -w -S FORWARD"); }

  test::TempDir dir_;
  std::unique_ptr<DirectoryStore> store_ = must(DirectoryStore::open(dir_.path() + "/store"));
  test::Segment segment_;
  std::optional<LegacyPath> legacy_;
  std::unique_ptr<Node> near_;
  std::unique_ptr<Node> far_;
  std::unique_ptr<Node> pod_;
  IpAddress near_address_;
  IpAddress pod_address_;
};

class RulesOfAMode : public RulesTest, public testing::WithParamInterface<Mode> {};

TEST_P(RulesOfAMode, PodsAreReachedUnderAPolicyOfDrop) {
  start(GetParam(), "cni0");
  ASSERT_TRUE(arrives_soon());
  far_->sh("iptables -w -P FORWARD DROP");
  EXPECT_TRUE(arrives_soon()) << order_of_forward();
}

TEST_P(RulesOfAMode, PodsAreReachedBesideOldDockerWithItsRejectAndAfterDockerRestarts) {
  start(GetParam(), "docker0");
  // A second time: the whole table is written anew, without a rule of ours.
  for (int i = 0; i < 2; ++i) {
    restore(kOldDocker);
    EXPECT_TRUE(arrives_soon()) << order_of_forward();
  }
  const std::string rules = order_of_forward();
  EXPECT_LT(rules.find("KUBE-FORWARD"), rules.find("-j FLANNEL-FWD")) << rules;
  EXPECT_LT(rules.find("-j FLANNEL-FWD"), rules.find("-j REJECT")) << rules;
}

TEST_P(RulesOfAMode, PodsAreReachedBesideNewDockerAndItsUsersChainStaysFirst) {
  start(GetParam(), "docker0");
  restore(kNewDocker);
  EXPECT_TRUE(arrives_soon()) << order_of_forward();
  // Docker puts its jumps in front of everything when it starts.
  far_->sh("iptables -w -D FORWARD -j DOCKER-FORWARD");
  far_->sh("iptables -w -I FORWARD -j DOCKER-FORWARD");
  EXPECT_TRUE(arrives_soon()) << order_of_forward();
  far_->sh("iptables -w -D FORWARD -j DOCKER-USER");
  far_->sh("iptables -w -I FORWARD -j DOCKER-USER");
  far_->sh("iptables -w -I DOCKER-USER -d " + pod_address_.to_string() + " -j DROP");
  EXPECT_TRUE(eventually([&] { return !arrives(); })) << "the operator's own rule was overruled";
}

TEST_P(RulesOfAMode, AFlushOfEverythingIsRepaired) {
  start(GetParam(), "cni0");
  ASSERT_TRUE(arrives_soon());
  far_->sh("iptables -w -P FORWARD DROP");
  ASSERT_TRUE(arrives_soon());
  far_->sh("iptables -w -F");
  far_->sh("iptables -w -t nat -F");
  EXPECT_TRUE(arrives_soon());
  if (!GetParam().nftables) {
    EXPECT_TRUE(
        eventually([&] { return has("iptables -w -t nat -S POSTROUTING", "FLANNEL-POSTRTG"); }));
  }
}

TEST_P(RulesOfAMode, ADropInAForeignTableIsNamedUntilItIsGone) {
  start(GetParam(), "cni0");
  ASSERT_TRUE(arrives_soon());
  nft(kFirewalld);
  EXPECT_FALSE(arrives());
  EXPECT_TRUE(eventually([&] {
    const std::string status = far_->status();
    return status.find("nftables table inet firewalld, chain filter_FORWARD, rule 7") !=
               std::string::npos &&
           status.find("--zone=trusted --add-source=10.244.0.0/16") != std::string::npos;
  })) << far_->status();
  // What that command of firewalld's does.
  nft("insert rule inet firewalld filter_FORWARD_ZONES ip saddr 10.244.0.0/16 accept");
  EXPECT_TRUE(arrives_soon());
  EXPECT_TRUE(eventually([&] { return far_->status().find("\"ready\"") != std::string::npos; }))
      << far_->status();
  // firewalld reloads: its table and, as it is set to by default, everybody's are made anew.
  nft(std::string("flush ruleset\n") + kFirewalld +
      "insert rule inet firewalld filter_FORWARD_ZONES ip saddr 10.244.0.0/16 accept");
  EXPECT_TRUE(arrives_soon());
}

INSTANTIATE_TEST_SUITE_P(In, RulesOfAMode, testing::ValuesIn(kModes),
                         [](const auto& of) { return std::string(of.param.name); });

TEST_F(RulesTest, APolicyOfDropInAForeignBaseChainIsNamed) {
  start(kModes[2], "cni0");
  nft("table ip guard { chain way { type filter hook forward priority -5; policy drop; "
      "tcp dport 22 accept; }; }");
  EXPECT_TRUE(eventually([&] {
    return far_->status().find(
               "nftables table ip guard, chain way, its policy; accept ip saddr "
               "10.244.0.0/16") != std::string::npos;
  })) << far_->status();
}

TEST_F(RulesTest, ATableThatAcceptsThePodsBridgeByItsNameIsNoObstacle) {
  start(kModes[2], "docker0");
  nft("table ip guard { chain way { type filter hook forward priority -5; policy drop; "
      "iifname docker0 accept; oifname docker0 accept; }; }");
  EXPECT_TRUE(arrives_soon());
  EXPECT_TRUE(eventually([&] { return far_->status().find("\"ready\"") != std::string::npos; }))
      << far_->status();
  EXPECT_FALSE(eventually([&] { return far_->status().find("guard") != std::string::npos; },
                          std::chrono::milliseconds(300)));
}

TEST_F(RulesTest, ChangingTheModeLeavesNothingBehind) {
  start(kModes[0], "cni0");
  const auto rules = [&] { return far_->sh("iptables-save") + far_->sh("nft list tables"); };
  ASSERT_TRUE(eventually([&] { return rules().find("FLANNEL-POSTRTG") != std::string::npos; }));
  EXPECT_EQ(rules().find("flannel-ipv4"), std::string::npos);

  const auto restart = [&](bool nftables) {
    EXPECT_TRUE(far_->stop_agent());
    configure(nftables);
    far_->start_agent(*store_);
  };
  restart(true);
  EXPECT_TRUE(eventually([&] {
    return rules().find("flannel-ipv4") != std::string::npos &&
           rules().find("FLANNEL") == std::string::npos;
  })) << rules();
  restart(false);
  EXPECT_TRUE(eventually([&] {
    return rules().find("FLANNEL-FWD") != std::string::npos &&
           rules().find("flannel-ipv4") == std::string::npos;
  })) << rules();
}

TEST_F(RulesTest, TheOtherVariantOfIptablesLosesWhatIsStaleAndLetsPodsThrough) {
  start(kModes[0], "cni0");
  ASSERT_TRUE(arrives_soon());
  EXPECT_TRUE(far_->stop_agent());
  // An agent before us used the legacy variant, and so does a firewall of this node.
  for (const char* command : {"iptables-legacy -w -t nat -N FLANNEL-POSTRTG",
                              "iptables-legacy -w -t nat -A FLANNEL-POSTRTG -j MASQUERADE",
                              "iptables-legacy -w -t nat -A POSTROUTING -j FLANNEL-POSTRTG",
                              "iptables-legacy -w -P FORWARD DROP"})
    far_->sh(command);
  ASSERT_FALSE(arrives());
  far_->start_agent(*store_);
  EXPECT_TRUE(arrives_soon());
  EXPECT_TRUE(eventually([&] { return !has("iptables-legacy-save -t nat", "FLANNEL"); }));
  EXPECT_TRUE(has("iptables-legacy -w -S FORWARD", "-j FLANNEL-FWD"));
  // It is listened to as well.
  far_->sh("iptables-legacy -w -F FORWARD");
  EXPECT_TRUE(arrives_soon());
}

TEST_F(RulesTest, TheOtherVariantOfIptablesIsNoticedAtItsFirstUse) {
  start(kModes[0], "cni0");
  ASSERT_TRUE(arrives_soon());
  far_->sh("iptables-legacy -w -P FORWARD DROP");
  EXPECT_TRUE(arrives_soon());
  EXPECT_TRUE(has("iptables-legacy -w -S FORWARD", "-j FLANNEL-FWD"));
}

TEST_F(RulesTest, TheBlackholeFollowsTheSubnetAndGivesWayToTheBridge) {
  configure(false);
  near_ = segment_.add_node({"192.0.2.1/24"});
  const auto with_blackhole = [](AgentOptions& options) { options.node.blackhole_route = true; };
  near_->sh("ip route add blackhole 10.244.99.0/24 proto 87 metric 4096");
  near_->start_agent(*store_, with_blackhole);
  const auto routes = [&] { return near_->sh("ip route"); };
  EXPECT_TRUE(eventually([&] {
    return routes().find("blackhole 10.244") != std::string::npos &&
           routes().find("10.244.99.0") == std::string::npos;
  })) << routes();
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(near_->subnet_file()); }));
  add_bridge(*near_, "cni0");
  EXPECT_NE(routes().find("blackhole 10.244"), std::string::npos);
  EXPECT_NE(routes().find("dev cni0"), std::string::npos);
  near_->sh("ip route flush type blackhole");
  EXPECT_TRUE(near_->stop_agent());
  near_->start_agent(*store_, with_blackhole);
  EXPECT_TRUE(eventually([&] { return routes().find("blackhole") != std::string::npos; }));
  EXPECT_TRUE(near_->stop_agent());
  near_->start_agent(*store_);
  EXPECT_TRUE(eventually([&] { return routes().find("blackhole") == std::string::npos; }));
}

}  // namespace
}  // namespace weft::overlay
