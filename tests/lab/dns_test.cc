// Names in a lab: resolvers of pods, the cluster's DNS before them and the outside host's behind
// it.
#include "lab_fixture.h"

namespace weft::test {
namespace {

const char* const kObjects = R"(
apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web}}
spec: {nodeName: node2, containers: [{ports: [{name: http, containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop}
spec: {nodeName: node2}
---
apiVersion: v1
kind: Pod
metadata: {name: alone, namespace: shop}
spec:
  nodeName: node2
  dnsPolicy: None
  dnsConfig: {nameservers: [203.0.113.121]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: peers, namespace: shop}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
)";

class DnsTest : public LabTest {
 protected:
  void up(const std::string& more) {
    lab_ = lab_name();
    const std::string stem = "/tmp/" + lab_;
    ASSERT_TRUE(write_file_atomically(stem + "-objects.yaml", kObjects, 0644));
    ASSERT_TRUE(write_file_atomically(
        stem + ".yaml", "nodes: 2\nmanifests: [" + lab_ + "-objects.yaml]\n" + more, 0644));
    must({"lab", "up", stem + ".yaml", "--name", lab_});
    ASSERT_TRUE(remove_file(stem + ".yaml"));
    ASSERT_TRUE(remove_file(stem + "-objects.yaml"));
  }
  // The first address that a pod's own resolver (glibc's) finds; empty when there is none.
  std::string resolved(const std::string& pod, const std::string& name) {
    const Outcome outcome =
        weft({"lab", "exec", "--name", lab_, pod, "--", "getent", "ahostsv4", name});
    return outcome.output.substr(0, outcome.output.find(' '));
  }
  std::string dig(const std::string& pod, const std::string& name) {
    return in(lab_, pod, {"dig", "+tries=1", "+time=10", name});
  }
  std::string address_of(const std::string& pod) {
    const Json seen = status(lab_);
    for (const auto& found : seen["pods"])
      if (found["name"] == pod) return found["addresses"][0];
    return "";
  }

  std::string lab_;
};

TEST_F(DnsTest, PodsResolveServicesPodsAndTheWorld) {
  up("dns: {names: {www.example.com: 203.0.113.121}}");
  EXPECT_EQ(resolved("client", "web"), "10.96.0.11");
  EXPECT_EQ(resolved("client", "web.shop.svc.cluster.local"), "10.96.0.11");
  EXPECT_EQ(resolved("client", "kube-dns.kube-system"), "10.96.0.10");
  EXPECT_EQ(resolved("client", "peers"), address_of("web-1"));
  EXPECT_EQ(resolved("client", "www.example.com"), "203.0.113.121");
  EXPECT_EQ(resolved("client", "absent"), "");
  EXPECT_TRUE(contains(in(lab_, "client", {"curl", "-sm5", "http://web/"}), "\"web-1\""));
  EXPECT_EQ(resolved("node1", "www.example.com"), "203.0.113.121");
  EXPECT_EQ(resolved("alone", "www.example.com"), "203.0.113.121");
  EXPECT_EQ(must({"dns", "resolv-conf", "--pod", "alone", "--name", lab_}),
            "nameserver 203.0.113.121  the pod's dnsConfig\n");
  const Outcome unknown = weft({"dns", "resolv-conf", "--pod", "alon", "--name", lab_});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_TRUE(contains(unknown.errors, "did you mean alone?")) << unknown.errors;
  const Matrix found = matrix(lab_);
  EXPECT_EQ(found.exit_code, 0) << found.report.dump(1);
  // Two pods ask the cluster's DNS, and one another server.
  EXPECT_EQ(found.pairs("pod-to-cluster-name"), 4U);
  EXPECT_EQ(found.pairs("pod-to-headless-name"), 2U);
  EXPECT_EQ(found.pairs("pod-to-outside-name"), 3U);

  // A pod that comes or goes is in the answer at once.
  must({"lab", "remove-pod", "web-1", "--name", lab_});
  EXPECT_TRUE(eventually([&] { return resolved("client", "peers").empty(); }));
}

TEST_F(DnsTest, WithoutAnUpstreamOnlyTheWorldFailsAndItIsSaidWhy) {
  up("dns: {names: {www.example.com: 203.0.113.121}, resolvConf: nameserver 127.0.0.1}");
  EXPECT_EQ(resolved("client", "web"), "10.96.0.11");
  EXPECT_EQ(resolved("client", "www.example.com"), "");
  EXPECT_TRUE(contains(dig("client", "www.example.com"), "(there is no upstream)"));
  EXPECT_EQ(resolved("alone", "www.example.com"), "203.0.113.121");
}

TEST_F(DnsTest, WithoutMasqueradeOnlyTheWorldFailsAndItIsSaidWhy) {
  up("dns: {names: {www.example.com: 203.0.113.121}}\nipMasq: false");
  EXPECT_EQ(resolved("client", "web"), "10.96.0.11");
  EXPECT_TRUE(contains(dig("client", "www.example.com"), "(no answer from 203.0.113.121:53)"));
}

}  // namespace
}  // namespace weft::test
