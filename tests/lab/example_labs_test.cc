// The example labs, compared with the facts of the clusters that they stand for.
#include "base/yaml.h"
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
  // Names of the cluster were there all the time; those of the world fail for another reason, too.
  EXPECT_EQ(cured.report["failed"], 2) << cured.report.dump(1);
  EXPECT_EQ(cured.failures("pod-to-outside-name"),
            std::vector<std::string>(2, "SERVFAIL (there is no upstream) from 10.96.0.10"));
  const auto dig = [&](const std::string& name, const std::string& server = "10.96.0.10") {
    return at("redisjq", {"dig", "+search", "+tries=1", "@" + server, name});
  };
  EXPECT_TRUE(contains(at("redisjq", {"cat", "/etc/resolv.conf"}),
                       "search lg.svc.cluster.local svc.cluster.local cluster.local\n"
                       "nameserver 10.96.0.10\noptions ndots:5\n"));
  EXPECT_TRUE(contains(dig("redis"), "status: NOERROR")) << dig("redis");
  EXPECT_TRUE(contains(dig("www.example.com"), "(there is no upstream)")) << dig("www.example.com");
  EXPECT_TRUE(contains(dig("www.example.com", "203.0.113.121"), "203.0.113.121"));
  const Outcome told = weft({"dns", "explain", "redisjq", "www.example.com", "--name", lab_});
  EXPECT_EQ(told.exit_code, 1);
  for (const char* part :
       {"www.example.com cannot be looked up: SERVFAIL (there is no upstream) from 10.96.0.10",
        "why: the DNS server coredns-1 on meng: the node's server 127.0.0.1 is left out: a pod "
        "cannot reach it",
        "next: give the node's resolv.conf, or the Corefile's forward, a nameserver"})
    EXPECT_TRUE(contains(told.output, part)) << told.output;
}

// The rules that the lab's file puts there: what Docker and kube-proxy write when they start.
std::string rules_of(const std::string& example) {
  const auto text = read_file(kExamples + "/" + example);
  const auto documents = text ? parse_yaml(*text) : Failure(text.error());
  EXPECT_TRUE(documents);
  return documents ? documents->at(0)["iptables"].get<std::string>() : "";
}

TEST_F(ExampleTest, S2ContainersAreReachedAlthoughForwardEndsInAReject) {
  const std::string example = "s2-docker-forward.yaml";
  up(example);
  EXPECT_TRUE(
      contains(at("docker2", {"ip", "-o", "-4", "address"}), "docker0    inet 10.1.74.1/24"));
  const auto forward = [&] { return at("docker2", {"iptables", "-S", "FORWARD"}); };
  const auto in_order = [&] {
    const std::string rules = forward();
    return rules.find("KUBE-FORWARD") < rules.find("-j FLANNEL-FWD") &&
           rules.find("-j FLANNEL-FWD") < rules.find("-j REJECT") && contains(rules, "FLANNEL-FWD");
  };
  EXPECT_TRUE(eventually(in_order)) << forward();
  const auto reached = [&] {
    const Matrix found = matrix(lab_);
    return found.pairs("pod-to-pod-other-node") != 0 &&
           found.failures("pod-to-pod-other-node").empty();
  };
  EXPECT_TRUE(reached());

  // Docker starts anew and builds its chains, without the accept.
  const std::string restart = "iptables-restore <<'END'\n" + rules_of(example) + "END\n";
  at("docker2", {"sh", "-c", restart});
  EXPECT_TRUE(eventually(in_order)) << forward();
  EXPECT_TRUE(reached());

  // As it was found: without an agent the packet ends at the REJECT, whose counter rises.
  must({"lab", "agent", "stop", "docker2", "--name", lab_});
  at("docker2", {"sh", "-c", restart});
  EXPECT_FALSE(reached());
  EXPECT_FALSE(
      contains(at("docker2", {"sh", "-c", "iptables-save -c -t filter | grep 'A FORWARD.*REJECT'"}),
               "[0:0]"));
  must({"lab", "agent", "start", "docker2", "--name", lab_});
  EXPECT_TRUE(eventually(in_order)) << forward();
  EXPECT_TRUE(reached());
}

TEST_F(ExampleTest, S3HasTheNetworkOfThePortals) {
  up("s3-portals.yaml");
  struct Fact {
    const char* node;
    const char* subnet;  // without its last number
    const char* address;
    const char* other;
  };
  for (const auto& [node, subnet, address, other] :
       {Fact{"kube-node1", "172.16.28", "172.17.42.31", "172.16.78"},
        Fact{"kube-node2", "172.16.78", "172.17.42.32", "172.16.28"}}) {
    const std::string stem = subnet;
    const std::string device = at(node, {"ip", "-d", "link", "show", "flannel.1"});
    for (const std::string& fact :
         {std::string("mtu 1450"), "vxlan id 1 local " + std::string(address) + " dev eth0",
          std::string("dstport 8472"), std::string("nolearning"), std::string("ageing 300")})
      EXPECT_TRUE(contains(device, fact)) << fact << "\n" << device;
    const std::string addresses = at(node, {"ip", "-o", "-4", "address"});
    EXPECT_TRUE(contains(addresses, "flannel.1    inet " + stem + ".0/32")) << addresses;
    EXPECT_TRUE(contains(addresses, "docker0    inet " + stem + ".1/24")) << addresses;
    EXPECT_TRUE(contains(at(node, {"ip", "link", "show", "docker0"}), "mtu 1450"));
    EXPECT_TRUE(eventually([&, far = std::string(other)] {
      return contains(at(node, {"ip", "route"}), far + ".0/24 via " + far + ".0 dev flannel.1");
    }));
    at(node, {WEFTD, "mk-docker-opts", "-c", "-d", "/run/docker_opts.env"});
    EXPECT_EQ(at(node, {"cat", "/run/docker_opts.env"}),
              "DOCKER_OPTS=\" --bip=" + stem + ".1/24 --ip-masq=false --mtu=1450\"\n");
  }
  // The portal of the service, on node1: a random port of the proxy, for pods and for the node.
  const std::string nat = at("kube-node1", {"iptables-save", "-t", "nat"});
  for (const char* rule :
       {"handle ClusterIPs; NOTE: this must be before the NodePort rules",
        "-A KUBE-PORTALS-CONTAINER -d 10.254.247.121/32 -p tcp",
        "--dport 8080 -j REDIRECT --to-ports ", "-A KUBE-PORTALS-HOST -d 10.254.247.121/32 -p tcp",
        "--dport 8080 -j DNAT --to-destination 172.17.42.31:"})
    EXPECT_TRUE(contains(nat, rule)) << rule << "\n" << nat;
  // The endpoint sees the proxy's own connection: over the tunnel, or beside it over the bridge.
  for (const auto& [asker, source] :
       {std::pair("sshd-2", "172.16.28.0"), std::pair("kube-node1", "172.16.28.0"),
        std::pair("kube-node2", "172.16.78.1")})
    EXPECT_TRUE(contains(at(asker, {"curl", "-s", "10.254.247.121:8080"}),
                         std::string("\"source\":\"") + source + "\""))
        << asker;
  // A subnet.env that was copied from the other node.
  at("kube-node1", {"sh", "-c", "echo FLANNEL_SUBNET=172.16.78.1/24 > /run/copied.env"});
  const Outcome copied = weft({"lab", "exec", "--name", lab_, "kube-node1", "--", WEFTD,
                               "mk-docker-opts", "-f/run/copied.env", "-d", "/run/x.env"});
  EXPECT_EQ(copied.exit_code, 1);
  EXPECT_TRUE(contains(copied.errors, "already contains the subnet: 172.16.78.0/24 via"))
      << copied.errors;
  const Matrix found = matrix(lab_);
  EXPECT_EQ(found.exit_code, 0) << found.report.dump(1);
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
  EXPECT_EQ(found.pairs("node-to-cluster-address"), 3U);
  EXPECT_EQ(found.pairs("pod-to-own-service"), 3U);
  EXPECT_EQ(found.pairs("outside-to-node-port"), 3U);
  EXPECT_EQ(found.pairs("outside-to-external-address"), 1U);
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
