// Services of a lab: real kube-proxies on its nodes, asked from everywhere.
#include <map>

#include "lab_fixture.h"

namespace weft::test {
namespace {

const char* const kObjects = R"(
apiVersion: v1
kind: Pod
metadata: {name: web-1, labels: {app: web}}
spec: {nodeName: node1, containers: [{ports: [{name: http, containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-2, labels: {app: web}}
spec: {nodeName: node2, containers: [{ports: [{name: http, containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, labels: {app: client}}
spec: {nodeName: node1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  clusterIP: 10.96.0.80
  selector: {app: web}
  externalIPs: [198.51.100.80]
  ports:
    - {name: http, port: 80, targetPort: http, nodePort: 30080}
    - {name: any, port: 9, targetPort: 8080, protocol: UDP, nodePort: 30009}
---
apiVersion: v1
kind: Service
metadata: {name: near}
spec:
  type: NodePort
  externalTrafficPolicy: Local
  selector: {app: web}
  ports: [{port: 80, nodePort: 30081}]
---
apiVersion: v1
kind: Service
metadata: {name: sticky}
spec:
  sessionAffinity: ClientIP
  selector: {app: web}
  ports: [{port: 80}]
)";

class ServicesTest : public LabTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void up(const std::string& mode) {
    lab_ = lab_name();
    const std::string stem = "/tmp/" + lab_;
    ASSERT_TRUE(write_file_atomically(stem + "-objects.yaml", kObjects, 0644));
    ASSERT_TRUE(write_file_atomically(
        stem + ".yaml",
        "nodes: 2\nservices: {mode: " + mode + "}\nmanifests: [" + lab_ + "-objects.yaml]\n",
        0644));
    must({"lab", "up", stem + ".yaml", "--name", lab_});
    ASSERT_TRUE(remove_file(stem + ".yaml"));
    ASSERT_TRUE(remove_file(stem + "-objects.yaml"));
  }

  /// Who answers a pod's requests to an address, and how often; "" stands for a refusal.
  std::map<std::string, int> ask(const std::string& url, int times) {
    std::map<std::string, int> answers;
    for (int i = 0; i < times; ++i) {
      const Outcome outcome =
          weft({"lab", "exec", "--name", lab_, "client", "--", "curl", "-sm2", url});
      const auto json = parse_json(outcome.output);
      ++answers[json ? (*json)["name"].get<std::string>() : ""];
    }
    return answers;
  }

  std::string lab_;
};

TEST_P(ServicesTest, AnswerFromEverywhere) {
  up(GetParam());
  const Matrix found = matrix(lab_);
  EXPECT_EQ(found.exit_code, 0) << found.report.dump(1);
  // Three services, the first with two ports; from one pod, or from two, or from two nodes.
  EXPECT_EQ(found.pairs("pod-to-cluster-address"), 4U);
  EXPECT_EQ(found.pairs("pod-to-own-service"), 8U);
  EXPECT_EQ(found.pairs("node-to-cluster-address"), 8U);
  EXPECT_EQ(found.pairs("outside-to-node-port"), 6U);
  EXPECT_EQ(found.pairs("outside-to-external-address"), 2U);
  for (const auto& pair : found.pairs_of("pod-to-cluster-address")) {
    EXPECT_EQ(pair["answered_by"].size(), pair["to"] == "sticky" ? 1U : 2U) << pair;
  }
  const Json lab = status(lab_);
  ASSERT_EQ(lab["services"].size(), 3U) << lab;
  EXPECT_EQ(lab["services"][0]["endpoints"], Json::array({"web-1", "web-2"}));
  EXPECT_EQ(lab["services"][0]["ports"], Json::array({"80:30080/TCP", "9:30009/UDP"}));
}

TEST_P(ServicesTest, FollowTheirPods) {
  up(GetParam());
  must({"lab", "remove-pod", "web-2", "--name", lab_});
  const auto answered_only_by = [&](const std::string& name) {
    const auto answers = ask("10.96.0.80", 8);
    return answers.size() == 1 && answers.begin()->first == name;
  };
  EXPECT_TRUE(eventually([&] { return answered_only_by("web-1"); }));
  must({"lab", "remove-pod", "web-1", "--name", lab_});
  EXPECT_TRUE(eventually([&] { return answered_only_by(""); })) << "nobody is left: refused";
}

// Where the kernel carries the packets.
class KernelServicesTest : public ServicesTest {};

TEST_P(KernelServicesTest, StayWhileTheirProxyIsDead) {
  up(GetParam());
  must({"lab", "proxy", "stop", "node1", "--name", lab_});
  const Outcome seen = weft({"lab", "status", "--name", lab_});
  EXPECT_EQ(seen.exit_code, 1);
  EXPECT_TRUE(contains(seen.output, "the kube-proxy of node1 is not running")) << seen.output;
  EXPECT_EQ(ask("10.96.0.80", 8).count(""), 0U) << "what it wrote goes on without it";
  must({"lab", "remove-pod", "web-2", "--name", lab_});
  must({"lab", "proxy", "start", "node1", "--name", lab_});
  EXPECT_EQ(ask("10.96.0.80", 8), (std::map<std::string, int>{{"web-1", 8}}))
      << "it has caught up before it says that it is there";
}

INSTANTIATE_TEST_SUITE_P(Modes, KernelServicesTest, ::testing::Values("nftables", "iptables"),
                         [](const auto& mode) { return std::string(mode.param); });
INSTANTIATE_TEST_SUITE_P(Modes, ServicesTest,
                         ::testing::Values("nftables", "iptables", "userspace"),
                         [](const auto& mode) { return std::string(mode.param); });

TEST_F(LabTest, WithoutServicesHasNoProxies) {
  const std::string lab = lab_name();
  must({"lab", "up", "--name", lab});
  const Outcome refused = weft({"lab", "proxy", "start", "node1", "--name", lab});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_TRUE(contains(refused.errors, "has no services")) << refused.errors;
  EXPECT_EQ(status(lab)["services"].size(), 0U);
}

}  // namespace
}  // namespace weft::test
