// `weftd kube-proxy` and the real kube-proxy in mode nftables, on two nodes that are the same but
// for that, with one API server: what becomes of packets to a table of Services.
#include <set>

#include <gtest/gtest.h>

#include "kube_server.h"
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
using weft::test::KubeServer;
using weft::test::must;
using weft::test::ServiceLab;
using weft::test::Space;

constexpr char kApiAddress[] = "192.168.77.1";
constexpr char kServices[] = "/api/v1/namespaces/default/services";
constexpr char kSlices[] = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
// So often an endpoint of two is hardly ever missed.
constexpr int kQuestions = 20;

Json json(const std::string& text) {
  return parse_json(text).value();
}

/// A Service of the table: the n-th has addresses and a node port of its own.
struct Front {
  std::string name;
  IpAddress address;
  std::uint16_t port;
};

std::string policy(TrafficPolicy policy) {
  return policy == TrafficPolicy::kLocal ? "Local" : "Cluster";
}

Json endpoint_json(const Endpoint& endpoint) {
  return {{"addresses", {endpoint.addresses[0].to_string()}},
          {"nodeName", endpoint.node},
          {"conditions",
           {{"ready", endpoint.ready},
            {"serving", endpoint.serving},
            {"terminating", endpoint.terminating}}}};
}

class Twins {
 public:
  Twins() {
    // Each refusal is told, however many there are in a second.
    for (const ServiceLab* lab : {&theirs, &ours})
      lab->node.in([] { must(kernel::write_sysctl("net/ipv4/icmp_ratelimit", "0")); });
    auto links = theirs.node.in([] { return must(kernel::Rtnetlink::open()); });
    must(links.create({.name = "twin",
                       .kind = "veth",
                       .up = true,
                       .peer = kernel::VethPeer{.name = "twin", .netns_fd = ours.node.fd()}}));
    theirs.node.sh(std::string("ip addr add ") + kApiAddress + "/30 dev twin");
    ours.node.sh("ip addr add 192.168.77.2/30 dev twin");
    ours.node.sh("ip link set twin up");
    theirs.node.in([&] {
      server = std::make_unique<KubeServer>(kApiAddress);
      server->call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", json(R"({
        "kind":"ClusterRoleBinding","metadata":{"name":"proxier"},
        "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole",
                   "name":"system:node-proxier"},
        "subjects":[{"kind":"ServiceAccount","name":"flannel","namespace":"kube-flannel"}]})"));
      server->create_node("here", "10.244.1.0/24", Json::object(), "192.0.2.1");
    });
    const std::vector<std::string> flags{"--kubeconfig=" + server->kubeconfig(),
                                         "--hostname-override=here",
                                         "--proxy-mode=nftables",
                                         "--detect-local-mode=NodeCIDR",
                                         "--iptables-min-sync-period=0s",
                                         "--conntrack-max-per-core=0",
                                         "--conntrack-tcp-timeout-established=0s",
                                         "--conntrack-tcp-timeout-close-wait=0s"};
    std::vector<std::string> argv{go_peer("kube-proxy")};
    argv.insert(argv.end(), flags.begin(), flags.end());
    theirs.node.in([&] { kube_proxy.emplace(argv, server->file("kube-proxy.log")); });
    argv = {WEFTD, "kube-proxy"};
    argv.insert(argv.end(), flags.begin(), flags.end());
    ours.node.in([&] { weftd.emplace(argv, server->file("weftd.log")); });
  }

  Json call(const std::string& method, const std::string& path, const Json& body = nullptr,
            const std::string& type = "application/json") const {
    return theirs.node.in([&] { return server->call(method, path, body, type); });
  }

  ServiceLab theirs{Family::kIpv4};
  ServiceLab ours{Family::kIpv4};
  std::unique_ptr<KubeServer> server;
  std::optional<Daemon> kube_proxy;
  std::optional<Daemon> weftd;
};

class KubeProxyVerdicts : public testing::Test {
 protected:
  // Creates the n-th Service of the table, and returns the fronts that it has.
  std::vector<Front> create(int n, const std::string& name, Service service,
                            const std::vector<Endpoint>& endpoints, const Json& more = {}) {
    const std::string number = std::to_string(n);
    const IpAddress cluster = ip("10.96.1." + number);
    const IpAddress external = ip("198.51.100." + number);
    const IpAddress balancer = ip("203.0.113." + number);
    const bool exposed = service.ports[0].node_port != 0;
    const auto node_port = static_cast<std::uint16_t>(30'100 + n);
    std::vector<Front> fronts{{name + " cluster", cluster, 80}};
    Json spec = {{"clusterIP", cluster.to_string()},
                 {"type", exposed ? "LoadBalancer" : "ClusterIP"},
                 {"internalTrafficPolicy", policy(service.internal_traffic_policy)},
                 {"ports", Json::array({{{"name", "http"}, {"protocol", "UDP"}, {"port", 80}}})}};
    if (exposed) spec["ports"][0]["nodePort"] = node_port;
    if (!service.external_ips.empty()) {
      spec["externalIPs"] = {external.to_string()};
      fronts.push_back({name + " external", external, 80});
    }
    if (exposed || !service.external_ips.empty())
      spec["externalTrafficPolicy"] = policy(service.external_traffic_policy);
    for (const auto& [key, value] : more.items()) spec[key] = value;
    const std::string object = "case-" + number;
    twins_->call("POST", kServices, {{"metadata", {{"name", object}}}, {"spec", spec}});
    if (exposed) {
      fronts.push_back({name + " node port", ip("192.0.2.1"), node_port});
      fronts.push_back({name + " load balancer", balancer, 80});
      twins_->call(
          "PATCH", std::string(kServices) + "/" + object + "/status",
          {{"status",
            {{"loadBalancer", {{"ingress", Json::array({{{"ip", balancer.to_string()}}})}}}}}},
          "application/merge-patch+json");
    }
    Json entries = Json::array();
    for (const auto& each : endpoints) entries.push_back(endpoint_json(each));
    twins_->call(
        "POST", kSlices,
        {{"metadata", {{"name", object}, {"labels", {{"kubernetes.io/service-name", object}}}}},
         {"addressType", "IPv4"},
         {"ports", Json::array({{{"name", "http"}, {"protocol", "UDP"}, {"port", 8080}}})},
         {"endpoints", entries}});
    return fronts;
  }

  // All that is answered to a number of questions.
  static std::set<std::string> verdict(const Space& from, const Front& front, int patience_ms) {
    std::set<std::string> answers{ask(from, front.address, front.port, patience_ms)};
    // Neither becomes an answer by asking again.
    if (answers.contains("nothing") || answers.contains("refused")) return answers;
    for (int i = 1; i < kQuestions; ++i) answers.insert(ask(from, front.address, front.port));
    return answers;
  }
  static std::string text(const std::set<std::string>& answers) {
    std::string all;
    for (const auto& answer : answers) all += (all.empty() ? "" : " | ") + answer;
    return all;
  }

  // Whether both nodes say the same, from everywhere. `once` is for services with affinity, whose
  // choice is free.
  void compare(const std::vector<Front>& fronts, bool once = false) {
    for (const Front& front : fronts)
      for (const auto& [source, space] : kSources) {
        auto theirs = verdict(twins_->theirs.*space, front, 200);
        auto ours = verdict(twins_->ours.*space, front, 200);
        // On a busy machine an answer may take longer, and an endpoint may have been missed.
        if (theirs != ours) {
          theirs = verdict(twins_->theirs.*space, front, 5000);
          ours = verdict(twins_->ours.*space, front, 5000);
        }
        if (once) {
          EXPECT_EQ(theirs.size(), 1U) << front.name << " from " << source << ": " << text(theirs);
          EXPECT_EQ(ours.size(), 1U) << front.name << " from " << source << ": " << text(ours);
        } else {
          EXPECT_EQ(text(ours), text(theirs)) << front.name << " from " << source;
        }
      }
  }

  static inline const std::vector<std::pair<std::string, Space ServiceLab::*>> kSources{
      {"a pod of the node", &ServiceLab::pod_client},
      {"an endpoint's pod", &ServiceLab::here},
      {"the node", &ServiceLab::node},
      {"another node", &ServiceLab::other},
      {"outside", &ServiceLab::client}};

  std::unique_ptr<Twins> twins_ = std::make_unique<Twins>();
};

TEST_F(KubeProxyVerdicts, AreEqualForATableOfServices) {
  const auto addresses = VerdictAddresses::of(Family::kIpv4);
  const Endpoint here = endpoint(addresses.here.to_string(), "here");
  const Endpoint there = endpoint(addresses.there.to_string());
  std::vector<Front> fronts;
  const auto add = [&](std::vector<Front> some) {
    fronts.insert(fronts.end(), some.begin(), some.end());
  };
  int n = 0;
  for (const auto& each : verdict_cases(Family::kIpv4))
    add(create(++n, each.name, each.service, each.endpoints));
  add(create(++n, "source_ranges", exposed(), {here},
             {{"loadBalancerSourceRanges", {"192.0.2.9/32"}}}));
  add(create(++n, "source_ranges_of_others", exposed(), {here},
             {{"loadBalancerSourceRanges", {"192.0.2.77/32"}}}));
  fronts.push_back({"a port that no service has", ip("10.96.1.1"), 81});
  fronts.push_back({"an address that no service has", ip("10.97.200.1"), 80});
  const auto sticky =
      create(++n, "affinity", exposed(), {here, there}, {{"sessionAffinity", "ClientIP"}});
  // Whoever has this one has all before it: it came last.
  const auto last = create(++n, "last", inner(), {here});
  for (const ServiceLab* lab : {&twins_->theirs, &twins_->ours})
    ASSERT_TRUE(eventually(
        [&] {
          return ask(lab->pod_client, last[0].address, 80, 200) != "nothing" &&
                 ask(lab->pod_client, last[0].address, 80, 200) != "refused";
        },
        std::chrono::seconds(60)))
        << twins_->kube_proxy->said() << twins_->weftd->said();
  compare(fronts);
  compare(sticky, true);
}

}  // namespace
}  // namespace weft::service
