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
  Json explain(const std::string& pod, const std::string& name, int exit_code) {
    const Outcome outcome = weft({"dns", "explain", pod, name, "--name", lab_, "-o", "json"});
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.output << outcome.errors;
    return parse_json(outcome.output).value_or(Json::object());
  }
  static Json asked_in(const Json& explained, std::size_t step, std::size_t question) {
    return explained["look_up"]["steps"][step]["asked"][question];
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

// What `weft dns explain` makes of a look-up.
TEST_F(DnsTest, ALookUpIsExplainedQuestionByQuestion) {
  up("dns: {names: {www.example.com: 203.0.113.121}}");
  const Json near = explain("client", "web", 0);
  EXPECT_EQ(near["verdict"]["sentence"],
            "web is 10.96.0.11: found as web.shop.svc.cluster.local., name 1 of 4");
  EXPECT_EQ(asked_in(near, 0, 0)["source"], "cluster");
  EXPECT_EQ(asked_in(near, 0, 0)["ttl"], 30);
  EXPECT_EQ(asked_in(near, 0, 1)["code"], "NOERROR") << "no IPv6 address, but a name";
  EXPECT_EQ(near["resolv_conf"]["lines"][0]["text"], "nameserver 10.96.0.10");

  const Json far = explain("client", "www.example.com", 0);
  ASSERT_EQ(far["look_up"]["steps"].size(), 4U);
  EXPECT_EQ(asked_in(far, 0, 0)["code"], "NXDOMAIN");
  const std::string source = asked_in(far, 3, 0)["source"];
  EXPECT_TRUE(source.starts_with("upstream 203.0.113.121:53 in ")) << source;
  const std::string again = asked_in(explain("client", "www.example.com.", 0), 0, 0)["source"];
  EXPECT_TRUE(again.starts_with("cache, ")) << again;

  const Json absent = explain("client", "absent.shop.svc.cluster.local.", 1);
  EXPECT_EQ(absent["verdict"]["sentence"],
            "there is no absent.shop.svc.cluster.local.: all servers deny each name of the search");
  EXPECT_EQ(explain("alone", "www.example.com", 0)["look_up"]["steps"].size(), 1U);

  const std::string text = must({"dns", "explain", "client", "web", "--name", lab_});
  EXPECT_TRUE(contains(text, "(in shop.svc.cluster.local)")) << text;
  const Outcome unknown = weft({"dns", "explain", "clien", "web", "--name", lab_});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_TRUE(contains(unknown.errors, "did you mean client?")) << unknown.errors;
}

TEST_F(DnsTest, ASilentServerIsExplained) {
  up("dns: {}");
  must({"lab", "remove-pod", "coredns-1", "--name", lab_});
  const Outcome silent =
      weft({"dns", "explain", "client", "web", "--name", lab_, "--timeout", "300", "-o", "json"});
  EXPECT_EQ(silent.exit_code, 1);
  const Json found = parse_json(silent.output).value_or(Json::object());
  EXPECT_EQ(found["look_up"]["steps"].size(), 2U) << "the first name, and the name as it is";
  EXPECT_TRUE(contains(found["verdict"]["sentence"], "web cannot be looked up: ")) << found.dump(1);
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
  const Json explained = explain("client", "www.example.com", 1);
  EXPECT_EQ(explained["verdict"]["sentence"],
            "www.example.com cannot be looked up: SERVFAIL (no answer from 203.0.113.121:53) from "
            "10.96.0.10");
  EXPECT_TRUE(contains(explained["verdict"]["next"], "masquerading"));
}

}  // namespace
}  // namespace weft::test
