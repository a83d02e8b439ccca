// `weftd kube-proxy` in a cluster whose EndpointSlices are the real kube-controller-manager's.
#include <set>

#include <gtest/gtest.h>

#include "proxied_cluster.h"
#include "support/daemon.h"
#include "support/eventually.h"
#include "support/go_peers.h"
#include "support/service_lab.h"
#include "support/service_verdicts.h"

namespace weft::service {
namespace {

using namespace test;
using weft::test::ask;
using weft::test::Daemon;
using weft::test::eventually;
using weft::test::go_peer;
using weft::test::json;
using weft::test::kMergePatch;
using weft::test::kServices;
using weft::test::KubeServer;
using weft::test::must;
using weft::test::ServiceLab;

constexpr char kPods[] = "/api/v1/namespaces/default/pods";
constexpr std::chrono::seconds kPatience{60};

class KubeProxyInACluster : public testing::Test {
 protected:
  KubeProxyInACluster() {
    lab_.node.in([&] {
      // Each refusal is told, however many there are in a second.
      must(kernel::write_sysctl("net/ipv4/icmp_ratelimit", "0"));
      server_ = std::make_unique<KubeServer>();
    });
    lab_.node.in([&] { weft::test::allow_proxies(*server_); });
    create_node("here", "10.244.1.0/24", "192.0.2.1", "east");
    create_node("there", "10.244.2.0/24", "192.0.3.2", "west");
    lab_.node.in([&] {
      controllers_.emplace(std::vector<std::string>{go_peer("kube-controller-manager"),
                                                    "--kubeconfig=" + server_->admin_kubeconfig(),
                                                    "--controllers=endpointslice-controller",
                                                    "--leader-elect=false", "--secure-port=0"},
                           server_->file("controllers.log"));
      proxy_.emplace(weft::test::proxy_command({WEFTD, "kube-proxy"}, *server_,
                                               {"--status-socket=" + server_->file("proxy.sock"),
                                                "--conntrack-max-per-core=1000"}),
                     server_->file("weftd.log"));
    });
  }

  Json call(const std::string& method, const std::string& path, const Json& body = nullptr,
            const std::string& type = "application/json") const {
    return lab_.node.in([&] { return server_->call(method, path, body, type); });
  }
  void create_node(const std::string& name, const std::string& pods, const std::string& address,
                   const std::string& zone) {
    lab_.node.in([&] { server_->create_node(name, pods, Json::object(), address); });
    move_node(name, zone);
  }
  void move_node(const std::string& name, const std::string& zone) {
    call("PATCH", "/api/v1/nodes/" + name,
         {{"metadata", {{"labels", {{"topology.kubernetes.io/zone", zone}}}}}}, kMergePatch);
  }
  void create_pod(const std::string& name, const std::string& node, const std::string& address) {
    call("POST", kPods,
         {{"metadata", {{"name", name}, {"labels", {{"app", "web"}}}}},
          {"spec",
           {{"nodeName", node},
            {"containers", Json::array({{{"name", "web"}, {"image", "web"}}})}}}});
    set_pod(name, address, "True");
  }
  void set_pod(const std::string& name, const std::string& address, const std::string& ready) {
    // In whole seconds; what is from before the proxy's start is no news.
    const UnixSeconds soon = unix_now() + std::chrono::seconds(1);
    call("PATCH", std::string(kPods) + "/" + name + "/status",
         {{"status",
           {{"phase", "Running"},
            {"podIP", address},
            {"podIPs", Json::array({{{"ip", address}}})},
            {"conditions", Json::array({{{"type", "Ready"},
                                         {"status", ready},
                                         {"lastTransitionTime", print_time(soon)}}})}}}},
         kMergePatch);
  }
  // Who answers a number of questions.
  std::set<std::string> answers() const {
    std::set<std::string> all;
    for (int i = 0; i < 20; ++i) {
      const std::string answer = ask(lab_.pod_client, address_, 80, 1000);
      all.insert(answer.substr(0, answer.find(' ')));
      if (all.contains("nothing")) break;
    }
    return all;
  }
  bool answer(const std::set<std::string>& expected) const {
    return eventually([&] { return answers() == expected; }, kPatience);
  }
  std::string http(const std::string& where) const {
    return lab_.node.in([&] {
      return must(run({.argv = {"curl", "-s", "-i", "--max-time", "5",
                                "http://127.0.0.1:" + where}}))
          .output;
    });
  }
  bool has_event(const std::string& object, const std::string& reason) const {
    return eventually(
        [&] {
          const Json events = call("GET", "/api/v1/namespaces/default/events");
          for (const auto& event : events["items"])
            if (event["reason"] == reason && event["source"]["component"] == "kube-proxy" &&
                event["involvedObject"]["name"] == object)
              return true;
          return false;
        },
        kPatience);
  }
  std::string said() const { return proxy_->said() + controllers_->said(); }

  ServiceLab lab_{Family::kIpv4};
  std::unique_ptr<KubeServer> server_;
  std::optional<Daemon> controllers_;
  std::optional<Daemon> proxy_;
  IpAddress address_;
};

TEST_F(KubeProxyInACluster, FollowsPodsZonesAndItsOwnNode) {
  create_pod("here", "here", "10.244.1.10");
  create_pod("there", "there", "10.244.2.10");
  const Json made = call("POST", kServices, json(R"({"metadata":{"name":"web"},"spec":{
    "selector":{"app":"web"},
    "ports":[{"name":"http","protocol":"UDP","port":80,"targetPort":8080}]}})"));
  address_ = ip(made["spec"]["clusterIP"].get<std::string>());
  ASSERT_TRUE(answer({"here", "there"})) << said();

  // The cluster's own hints; they are for the zone where the node is now.
  call("PATCH", std::string(kServices) + "/web", json(R"({"spec":{"trafficDistribution":
    "PreferClose"}})"),
       kMergePatch);
  EXPECT_TRUE(answer({"here"})) << said();
  move_node("here", "west");
  EXPECT_TRUE(answer({"there"})) << said();
  call("PATCH", std::string(kServices) + "/web", json(R"({"spec":{"trafficDistribution":null}})"),
       kMergePatch);
  EXPECT_TRUE(answer({"here", "there"})) << said();

  // The range of the API server's own flag, and one that comes while the proxy runs.
  const auto dropped = [&](const std::string& range) {
    return eventually(
        [&] {
          return lab_.node.sh("nft list chain ip weft-services cluster-ips-check")
                     .find("ip daddr " + range + " drop") != std::string::npos;
        },
        kPatience);
  };
  EXPECT_TRUE(dropped("10.96.0.0/16")) << said();
  call("POST", "/apis/networking.k8s.io/v1/servicecidrs",
       json(R"({"metadata":{"name":"second"},"spec":{"cidrs":["10.120.0.0/24"]}})"));
  EXPECT_TRUE(dropped("10.120.0.0/24")) << said();

  set_pod("there", "10.244.2.10", "False");
  EXPECT_TRUE(answer({"here"})) << said();
  set_pod("here", "10.244.1.10", "False");
  EXPECT_TRUE(answer({"refused"})) << said();
  const std::string count =
      "kubeproxy_network_programming_duration_seconds_count{ip_family=\"IPv4\"} ";
  EXPECT_NE(http("10249/metrics").find(count), std::string::npos);
  EXPECT_EQ(http("10249/metrics").find(count + "0\n"), std::string::npos);

  EXPECT_NE(http("10256/healthz").find(" 200 OK"), std::string::npos);
  call("PATCH", "/api/v1/nodes/here", json(R"({"spec":{"taints":[
    {"key":"ToBeDeletedByClusterAutoscaler","effect":"NoSchedule"}]}})"),
       kMergePatch);
  EXPECT_TRUE(eventually([&] { return http("10256/healthz").find(" 503 ") != std::string::npos; },
                         kPatience));
  EXPECT_NE(http("10256/livez").find(" 200 OK"), std::string::npos);

  EXPECT_TRUE(has_event("here", "Starting")) << said();
  // nf_conntrack_max is the machine's, and no namespace of its own may set it.
  EXPECT_TRUE(has_event("here", "FailedToSetConntrack")) << said();
  call("POST", kServices, json(R"({"metadata":{"name":"odd"},"spec":{
    "externalIPs":["2001:db8::1"],"ports":[{"port":80}]}})"));
  EXPECT_TRUE(has_event("odd", "KubeProxyIncorrectIPVersion")) << said();
}

}  // namespace
}  // namespace weft::service
