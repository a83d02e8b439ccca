// Labs other than the default one: backends, frame sizes, families.
#include "lab_fixture.h"

namespace weft::test {
namespace {

class VariantTest : public LabTest {
 protected:
  void up(const std::string& yaml) {
    lab_ = lab_name();
    const std::string path = "/tmp/" + lab_ + ".yaml";
    ASSERT_TRUE(write_file_atomically(path, yaml, 0644));
    must({"lab", "up", path, "--name", lab_});
    ASSERT_TRUE(remove_file(path));
  }
  std::string at(const std::string& member, const std::vector<std::string>& program) {
    return in(lab_, member, program);
  }
  /// Every pair of every class, without even a warning.
  void expect_all_fine() {
    const Matrix found = matrix(lab_);
    EXPECT_EQ(found.exit_code, 0) << found.report.dump(1);
    EXPECT_GT(found.pairs("pod-to-pod-other-node"), 0U);
  }
  /// The subnets of a node that exists.
  std::vector<std::string> subnets(const std::string& node) {
    const Json lab = status(lab_);
    for (const auto& entry : lab["nodes"])
      if (entry["name"] == node) return entry["subnets"].get<std::vector<std::string>>();
    ADD_FAILURE() << "no node " << node << " in " << lab.dump();
    return {};
  }

  std::string lab_;
};

TEST_F(VariantTest, HostGwRoutesThroughTheNodesThemselves) {
  up("overlay: {Network: 10.60.0.0/16, Backend: {Type: host-gw}}\nnodes: 3\npods: 1\n");
  expect_all_fine();
  const auto devices = at("node1", {"ip", "link"});
  EXPECT_FALSE(contains(devices, "flannel.1")) << devices;
  EXPECT_TRUE(
      contains(at("node1", {"ip", "route"}), subnets("node2").front() + " via 172.31.0.12"));
  EXPECT_TRUE(contains(at("node1-pod1", {"ip", "link", "show", "eth0"}), "mtu 1500"));
}

TEST_F(VariantTest, UdpTunnelsInUserSpace) {
  up("overlay: {Network: 10.64.0.0/16, Backend: {Type: udp}}\nnodes: 3\npods: 1\n");
  expect_all_fine();
  EXPECT_TRUE(contains(at("node1", {"ip", "route"}), "10.64.0.0/16 dev flannel0"));
  EXPECT_TRUE(contains(at("node1-pod1", {"ip", "link", "show", "eth0"}), "mtu 1472"));
}

TEST_F(VariantTest, LargeFramesReachThePods) {
  up("overlay: {Network: 10.61.0.0/16, Backend: {Type: vxlan}}\nunderlay: {mtu: 9000}\n"
     "nodes: 2\npods: 1\n");
  expect_all_fine();
  EXPECT_TRUE(contains(at("node1-pod1", {"ip", "link", "show", "eth0"}), "mtu 8950"));
  for (const auto& pair : matrix(lab_).pairs_of("pod-to-pod-other-node"))
    if (pair["protocol"] == "icmp") {
      EXPECT_EQ(pair["mtu"], 8950) << pair;
    }
}

TEST_F(VariantTest, BothFamiliesFromTheFirstPacket) {
  up("overlay: {EnableIPv6: true, Network: 10.62.0.0/16, IPv6Network: 'fd62::/48',"
     " Backend: {Type: vxlan}}\nnodes: 2\npods: 2\n");
  expect_all_fine();
  EXPECT_EQ(subnets("node1").size(), 2U);
  EXPECT_TRUE(contains(at("node1", {"ip", "-6", "route"}),
                       subnets("node2").back() + " via " +
                           subnets("node2").back().substr(0, subnets("node2").back().find('/')) +
                           " dev flannel-v6.1"));
  // 70 bytes of headers around an IPv6 packet, and a pod has one size for both families.
  EXPECT_TRUE(contains(at("node1-pod1", {"ip", "link", "show", "eth0"}), "mtu 1430"));
}

TEST_F(VariantTest, OnlyIpv6) {
  up("overlay: {EnableIPv4: false, EnableIPv6: true, IPv6Network: 'fd63::/48',"
     " Backend: {Type: vxlan}}\nnodes: 2\npods: 1\n");
  expect_all_fine();
  EXPECT_EQ(subnets("node1").size(), 1U);
}

TEST_F(VariantTest, HostGwWithBothFamilies) {
  up("overlay: {EnableIPv6: true, Network: 10.64.0.0/16, IPv6Network: 'fd64::/48',"
     " Backend: {Type: host-gw}}\nnodes: 2\npods: 1\n");
  expect_all_fine();
  EXPECT_TRUE(
      contains(at("node1", {"ip", "-6", "route"}), subnets("node2").back() + " via fd00:31"));
}

TEST_F(VariantTest, RulesInNftables) {
  up("overlay: {EnableNFTables: true, Network: 10.65.0.0/16, Backend: {Type: vxlan}}\n"
     "nodes: 2\npods: 1\n");
  expect_all_fine();
  EXPECT_TRUE(contains(at("node1", {"nft", "list", "tables"}), "table ip flannel-ipv4"));
  EXPECT_FALSE(contains(at("node1", {"iptables-save"}), "FLANNEL"));
}

}  // namespace
}  // namespace weft::test
