// Faults put into a lab by hand, and what `weft matrix` says about them.
#include <signal.h>

#include <algorithm>

#include "base/text.h"
#include "lab_fixture.h"

namespace weft::test {
namespace {

class FaultTest : public LabTest {
 protected:
  void SetUp() override {
    lab_ = lab_name();
    must({"lab", "up", "--name", lab_});
    // Agents repair what they own; the faults are to stay.
    const Json seen = status(lab_);
    for (const auto& node : seen["nodes"]) ::kill(node["agent"]["pid"].get<pid_t>(), SIGSTOP);
  }

  bool says(const std::vector<std::string>& reasons, const std::string& part) {
    return std::any_of(reasons.begin(), reasons.end(),
                       [&](const std::string& reason) { return contains(reason, part); });
  }

  std::string lab_;
};

TEST_F(FaultTest, AMissingForwardingEntry) {
  const std::string fdb = in(lab_, "node1", {"bridge", "fdb", "show", "dev", "flannel.1"});
  for (const auto& line : split(fdb, '\n'))
    if (contains(line, "dst 172.31.0.12"))
      in(lab_, "node1", {"bridge", "fdb", "del", split(line, ' ')[0], "dev", "flannel.1"});
  const Matrix found = matrix(lab_);
  EXPECT_EQ(found.exit_code, 1);
  const auto reasons = found.failures("pod-to-pod-other-node");
  EXPECT_EQ(reasons.size(), 2U * 2U * 2U * 3U) << "two pods a side, both ways, three protocols";
  EXPECT_TRUE(says(reasons, "last seen entering cni0 on node1, not on flannel.1 on node1"))
      << found.report.dump(1);
  EXPECT_TRUE(found.failures("pod-to-pod-same-node").empty());
  EXPECT_TRUE(found.failures("pod-to-outside").empty());
}

TEST_F(FaultTest, ANodeThatDoesNotForward) {
  in(lab_, "node2", {"sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward"});
  const Matrix found = matrix(lab_);
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_TRUE(says(found.failures("pod-to-pod-other-node"),
                   "last seen entering flannel.1 on node2, not on cni0 on node2"))
      << found.report.dump(1);
  EXPECT_TRUE(says(found.failures("pod-to-outside"), "last seen entering cni0 on node2"));
}

TEST_F(FaultTest, AnMtuBlackHole) {
  in(lab_, "underlay", {"ip", "link", "set", "node2", "mtu", "1400"});
  const Matrix found = matrix(lab_);
  EXPECT_EQ(found.exit_code, 1);
  const auto reasons = found.failures("pod-to-pod-other-node");
  EXPECT_TRUE(says(reasons, "packets of 1450 bytes")) << found.report.dump(1);
  EXPECT_TRUE(says(reasons, "which dropped 20 packets")) << found.report.dump(1);
  EXPECT_TRUE(says(found.failures("pod-to-other-node"),
                   "last seen leaving eth0 on node1, not on eth0 on node2"))
      << found.report.dump(1);
}

TEST_F(FaultTest, MasqueradeInsideThePodNetwork) {
  in(lab_, "node1",
     {"iptables", "-t", "nat", "-I", "POSTROUTING", "-o", "flannel.1", "-j", "MASQUERADE"});
  const Matrix found = matrix(lab_);
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_TRUE(says(found.failures("pod-to-pod-other-node"), "masqueraded inside the pod network"))
      << found.report.dump(1);
}

TEST_F(FaultTest, ATunnelDeviceThatIsDown) {
  in(lab_, "node1", {"ip", "link", "set", "flannel.1", "down"});
  EXPECT_EQ(matrix(lab_).exit_code, 1);
}

}  // namespace
}  // namespace weft::test
