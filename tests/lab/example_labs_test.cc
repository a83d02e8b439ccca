// The example labs, compared with the facts of the clusters that they stand for.
#include "lab_fixture.h"
#include "support/packet_stream.h"

namespace weft::test {
namespace {

const std::string kExamples = WEFT_EXAMPLES;

class ExampleTest : public LabTest {
 protected:
  void up(const std::string& example) {
    lab_ = lab_name();
    must({"lab", "up", kExamples + "/" + example, "--name", lab_});
  }
  std::string at(const std::string& member, const std::vector<std::string>& program) {
    return in(lab_, member, program);
  }

  std::string lab_;
};

TEST_F(ExampleTest, S1PodsCannotLeaveTheirNode) {
  up("s1-redis.yaml");
  EXPECT_TRUE(contains(at("ubuntu", {"ip", "-o", "-4", "address"}), "10.4.1.1/24"));
  EXPECT_TRUE(contains(at("ubuntu", {"ip", "-o", "-4", "address"}), "10.4.1.0/32"));
  const Matrix found = matrix(lab_);
  EXPECT_EQ(found.exit_code, 1);
  for (const char* fine : {"pod-to-pod-same-node", "pod-to-pod-other-node", "pod-to-own-node"})
    EXPECT_TRUE(found.failures(fine).empty()) << fine << found.report.dump(1);
  for (const char* wrong : {"pod-to-other-node", "pod-to-outside"})
    EXPECT_EQ(found.failures(wrong).size(), found.pairs(wrong)) << wrong;
  // The cure that was found.
  for (const auto& [node, subnet] :
       {std::pair("meng", "10.4.0.0/24"), std::pair("ubuntu", "10.4.1.0/24")})
    at(node, {"iptables", "-t", "nat", "-A", "POSTROUTING", "-s", subnet, "!", "-d", "10.4.0.0/16",
              "-j", "MASQUERADE"});
  const Matrix cured = matrix(lab_);
  EXPECT_EQ(cured.exit_code, 0) << cured.report.dump(1);
}

TEST_F(ExampleTest, S4CrossesRouters) {
  up("s4-kuard.yaml");
  struct Fact {
    const char* node;
    const char* number;
    const char* address;
  };
  for (const auto& [node, number, address] :
       {Fact{"master", "0", "10.192.214.204/19"}, Fact{"worker-1", "2", "10.78.180.28/20"},
        Fact{"worker-2", "3", "10.161.119.138/19"}}) {
    const std::string stem = std::string("10.244.") + number;
    EXPECT_TRUE(contains(at(node, {"ip", "-o", "-4", "address"}), address));
    EXPECT_TRUE(contains(at(node, {"ip", "-o", "address", "show", "flannel.1"}), stem + ".0/32"));
    EXPECT_TRUE(contains(at(node, {"ip", "-d", "link", "show", "flannel.1"}), "mtu 1450"));
    EXPECT_TRUE(contains(at(node, {"ip", "-d", "link", "show", "flannel.1"}), "dstport 8472"));
    EXPECT_EQ(at(node, {"cat", "/run/flannel/subnet.env"}),
              "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=" + stem +
                  ".1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n");
    for (const char* other : {"0", "2", "3"}) {
      if (std::string(other) == number) continue;
      const std::string subnet = std::string("10.244.") + other + ".0";
      EXPECT_TRUE(eventually([&] {
        return contains(at(node, {"ip", "route"}),
                        subnet + "/24 via " + subnet + " dev flannel.1 onlink");
      }));
      EXPECT_TRUE(
          contains(at(node, {"ip", "neighbour", "show", "dev", "flannel.1"}), subnet + " lladdr"));
    }
  }
  EXPECT_TRUE(contains(at("worker-1", {"ip", "-d", "link", "show", "cni0"}), "mtu 1450"));
  EXPECT_TRUE(contains(at("worker-1", {"ip", "route"}), "10.244.2.0/24 dev cni0"));
  EXPECT_TRUE(contains(at("worker-1", {"bridge", "fdb", "show", "dev", "flannel.1"}),
                       "dst 10.161.119.138 self permanent"));
  EXPECT_TRUE(contains(at("worker-1", {"iptables-save", "-t", "nat"}), "MASQUERADE"));
  EXPECT_TRUE(contains(at("kuard-1", {"ip", "-o", "-4", "address"}), "10.244.2.2/24"));
  EXPECT_TRUE(contains(at("kuard-2", {"ip", "-o", "-4", "address"}), "10.244.3.2/24"));
  EXPECT_TRUE(contains(at("kuard-3", {"ip", "-o", "-4", "address"}), "10.244.3.3/24"));
  const Matrix found = matrix(lab_);
  EXPECT_EQ(found.exit_code, 0) << found.report.dump(1);
}

TEST_F(ExampleTest, S5AThirdNodeJoinsAndLeaves) {
  up("s5-join.yaml");
  const Matrix first = matrix(lab_);
  EXPECT_EQ(first.exit_code, 0) << first.report.dump(1);
  // The others talk while it joins, a datagram a millisecond, and lose none.
  const Json before = status(lab_);
  PacketStream stream("/run/netns/" + before["pods"][0]["netns"].get<std::string>(),
                      before["pods"][1]["addresses"][0].get<std::string>(), 8080,
                      std::chrono::milliseconds(1));
  must({"lab", "add-node", "worker-2", "--name", lab_, "--address", "10.161.119.138/19",
        "--gateway", "10.161.127.253", "--subnet", "10.244.3.0/24"});
  for (const char* node : {"master", "worker-1"})
    EXPECT_TRUE(eventually([&] { return contains(at(node, {"ip", "route"}), "10.244.3.0/24"); }));
  const Matrix joined = matrix(lab_);
  EXPECT_EQ(joined.exit_code, 0) << joined.report.dump(1);
  const PacketStream::Counts counts = stream.finish();
  EXPECT_GT(counts.sent, 100U);
  EXPECT_EQ(counts.answered, counts.sent);
  // It leaves while one node's agent is down; that one catches up when it is back.
  must({"lab", "agent", "stop", "master", "--name", lab_});
  must({"lab", "remove-node", "worker-2", "--name", lab_});
  must({"lab", "agent", "start", "master", "--name", lab_});
  for (const char* node : {"master", "worker-1"})
    EXPECT_TRUE(eventually([&] {
      return !contains(at(node, {"ip", "route"}), "10.244.3.0/24") &&
             !contains(at(node, {"ip", "neighbour", "show", "dev", "flannel.1"}), "10.244.3.0") &&
             !contains(at(node, {"bridge", "fdb", "show", "dev", "flannel.1"}), "10.161.119.138");
    }));
}

}  // namespace
}  // namespace weft::test
