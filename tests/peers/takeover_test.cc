// A node changes over from flannel's flanneld to weftd and back while its pod talks: with a pod
// of another node, and with the world outside.
#include "flannel_cluster.h"
#include "support/packet_stream.h"
#include "support/running_traffic.h"

namespace weft::test {
namespace {

constexpr std::uint16_t kPort = 7000;

struct Change {
  std::string name;
  StoreKind store;
  std::string net_conf;
};

class TakeOver : public testing::TestWithParam<Change> {
 protected:
  /// What a node's pod has noticed while something was done.
  struct Noticed {
    PacketStream::Counts datagrams;
    TcpStream::Course tcp;
    UdpEcho::Callers seen_outside;
  };
  template <class Deed>
  Noticed while_talking(Deed deed) {
    const UdpEcho there(other_.pod->netns, other_.pod->address, kPort);
    const UdpEcho outside(cluster_->outside(), cluster_->outside_address(), kPort);
    PacketStream datagrams("/proc/self/fd/" + std::to_string(node_.pod->netns.fd()),
                           other_.pod->address.to_string(), kPort, std::chrono::milliseconds(1));
    TcpStream tcp(*node_.pod, *other_.pod);
    {
      const FreshFlows flows(*node_.pod, cluster_->outside_address(), kPort);
      deed();
    }
    Noticed noticed{.datagrams = datagrams.finish(), .tcp = tcp.finish(), .seen_outside = {}};
    noticed.seen_outside = outside.callers();
    print(noticed);
    return noticed;
  }
  void print(const Noticed& noticed) {
    std::string callers;
    for (const auto& address : noticed.seen_outside.addresses) callers += " " + address.to_string();
    std::printf("  %zu of %zu datagrams lost, TCP %zu of %zu lines, pause %lld ms, outside:%s\n",
                noticed.datagrams.sent - noticed.datagrams.answered, noticed.datagrams.sent,
                noticed.tcp.arrived, noticed.tcp.sent,
                static_cast<long long>(noticed.tcp.longest_pause.count()), callers.c_str());
  }
  Noticed change_to(Program program) {
    return while_talking([&] {
      node_.daemon.end(SIGTERM);
      cluster_->start(node_, program);
      // Somebody's rules may be late, and the daemon that is new may have a second thought.
      std::this_thread::sleep_for(std::chrono::seconds(1));
    });
  }
  static void expect_tcp_whole(const Noticed& noticed) {
    EXPECT_GT(noticed.tcp.sent, 500U);
    EXPECT_EQ(noticed.tcp.arrived, noticed.tcp.sent);
  }
  static void expect_nothing_lost(const Noticed& noticed) {
    EXPECT_GT(noticed.datagrams.sent, 500U);
    EXPECT_EQ(noticed.datagrams.answered, noticed.datagrams.sent);
    expect_tcp_whole(noticed);
  }
  void expect_masqueraded(const Noticed& noticed) {
    EXPECT_GT(noticed.seen_outside.datagrams, 500U);
    EXPECT_EQ(noticed.seen_outside.addresses, (std::set<IpAddress>{ip(node_.address)}));
  }

  std::unique_ptr<FlannelCluster> cluster_ =
      FlannelCluster::create(GetParam().store, GetParam().net_conf);
  Member& other_ = cluster_->join(1, Program::kFlannel);
  Member& node_ = cluster_->join(2, Program::kFlannel);
};

std::string conf(const std::string& backend, const std::string& more = "") {
  return R"({"Network":"10.244.0.0/16",)" + more + R"("Backend":{"Type":")" + backend + R"("}})";
}
std::string name_of(const testing::TestParamInfo<Change>& instance) {
  return instance.param.name;
}

TEST_P(TakeOver, ThereAndBackLosesNothing) {
  ASSERT_TRUE(connected(node_, other_));
  const std::string env = must(read_file(node_.node->subnet_file()));
  const OverlayState before = node_.node->overlay_state();
  const Noticed there = change_to(Program::kWeft);
  expect_nothing_lost(there);
  expect_masqueraded(there);
  EXPECT_EQ(must(read_file(node_.node->subnet_file())), env);
  // The device with its index and MAC, its address, and all that leads to the peer.
  EXPECT_EQ(node_.node->overlay_state().vteps, before.vteps);
  EXPECT_EQ(node_.node->overlay_state().addresses, before.addresses);
  EXPECT_EQ(node_.node->overlay_state().tables.routes.size(), before.tables.routes.size());
  const Noticed back = change_to(Program::kFlannel);
  // flannel empties its chains before it fills them, so what leaves the cluster is not asked.
  expect_nothing_lost(back);
  EXPECT_EQ(must(read_file(node_.node->subnet_file())), env);
  EXPECT_EQ(node_.node->overlay_state().vteps, before.vteps);
}
INSTANTIATE_TEST_SUITE_P(
    , TakeOver,
    testing::Values(Change{"etcd_vxlan", StoreKind::kEtcd, conf("vxlan")},
                    Change{"etcd_vxlan_nftables", StoreKind::kEtcd,
                           conf("vxlan", R"("EnableNFTables":true,)")},
                    Change{"etcd_host_gw", StoreKind::kEtcd, conf("host-gw")},
                    Change{"kubernetes_vxlan", StoreKind::kKubernetes, conf("vxlan")},
                    Change{"kubernetes_host_gw", StoreKind::kKubernetes, conf("host-gw")}),
    name_of);

using TakeOverOfTun = TakeOver;

// flannel's TUN goes with flanneld, so there is a gap; TCP gets over it.
TEST_P(TakeOverOfTun, ThereAndBackKeepsSubnetAndConnections) {
  ASSERT_TRUE(connected(node_, other_));
  const std::string env = must(read_file(node_.node->subnet_file()));
  for (const Program program : {Program::kWeft, Program::kFlannel}) {
    const Noticed noticed = change_to(program);
    expect_tcp_whole(noticed);
    if (program == Program::kWeft) expect_masqueraded(noticed);
    EXPECT_EQ(must(read_file(node_.node->subnet_file())), env);
    EXPECT_TRUE(connected(node_, other_));
  }
}
INSTANTIATE_TEST_SUITE_P(, TakeOverOfTun,
                         testing::Values(Change{"etcd_udp", StoreKind::kEtcd, conf("udp")}),
                         name_of);

}  // namespace
}  // namespace weft::test
