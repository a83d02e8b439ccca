// `weftd kube-proxy` and the real kube-proxy in the same mode, on two nodes that are the same but
// for that, with one API server: what becomes of packets to a table of Services, in both families,
// by UDP and TCP. There is no intended difference.
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
using weft::test::kMergePatch;
using weft::test::kServices;
using weft::test::kSlices;
using weft::test::KubeServer;
using weft::test::must;
using weft::test::ServiceLab;
using weft::test::Space;

constexpr char kApiAddress[] = "192.168.77.1";
// So often an endpoint of two is hardly ever missed.
constexpr int kQuestions = 20;

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

/// In which mode, family and protocol proxies are compared.
struct Setting {
  const char* mode;
  Family family;
  ServiceProtocol protocol;
  bool v4() const { return family == Family::kIpv4; }
};
std::string name_of(const Setting& setting) {
  return setting.mode + std::string(setting.v4() ? "_Ipv4_" : "_Ipv6_") +
         std::string(to_string(setting.protocol));
}

class Twins {
 public:
  explicit Twins(const Setting& setting) : theirs(setting.family), ours(setting.family) {
    // Each refusal is told, however many there are in a second.
    for (const ServiceLab* lab : {&theirs, &ours})
      lab->node.in([] {
        must(kernel::write_sysctl("net/ipv4/icmp_ratelimit", "0"));
        must(kernel::write_sysctl("net/ipv6/icmp/ratelimit", "0"));
      });
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
      weft::test::allow_proxies(*server);
      server->create_node("here", setting.v4() ? "10.244.1.0/24" : "fd00:244:1::/64",
                          Json::object(), theirs.uplink(2, 1).to_string());
    });
    const std::vector<std::string> flags{std::string("--proxy-mode=") + setting.mode,
                                         "--detect-local-mode=NodeCIDR",
                                         "--iptables-min-sync-period=0s"};
    theirs.node.in([&] {
      kube_proxy.emplace(weft::test::proxy_command({go_peer("kube-proxy")}, *server, flags),
                         server->file("kube-proxy.log"));
    });
    ours.node.in([&] {
      auto command = weft::test::proxy_command({WEFTD, "kube-proxy"}, *server, flags);
      command.push_back("--status-socket=" + server->file("proxy.sock"));
      weftd.emplace(std::move(command), server->file("weftd.log"));
    });
  }

  Json call(const std::string& method, const std::string& path, const Json& body = nullptr,
            const std::string& type = "application/json") const {
    return theirs.node.in([&] { return server->call(method, path, body, type); });
  }

  ServiceLab theirs;
  ServiceLab ours;
  std::unique_ptr<KubeServer> server;
  std::optional<Daemon> kube_proxy;
  std::optional<Daemon> weftd;
};

class KubeProxyVerdicts : public testing::TestWithParam<Setting> {
 protected:
  // Creates the n-th Service of the table, and returns the fronts that it has.
  std::vector<Front> create(int n, const std::string& name, Service service,
                            const std::vector<Endpoint>& endpoints, const Json& more = {}) {
    const std::string number = std::to_string(n);
    const IpAddress cluster = numbered("10.96.1.", n < 10 ? "fd00:96::10" : "fd00:96::1", n);
    const IpAddress external = numbered("198.51.100.", "2001:db8:51::", n);
    const IpAddress balancer = numbered("203.0.113.", "2001:db8:113::", n);
    const bool exposed = service.ports[0].node_port != 0;
    const auto node_port = static_cast<std::uint16_t>(30'100 + n);
    std::vector<Front> fronts{{name + " cluster", cluster, 80}};
    Json spec = {
        {"clusterIP", cluster.to_string()},
        {"type", exposed ? "LoadBalancer" : "ClusterIP"},
        {"ipFamilies", {GetParam().v4() ? "IPv4" : "IPv6"}},
        {"internalTrafficPolicy", policy(service.internal_traffic_policy)},
        {"ports", Json::array({{{"name", "http"}, {"protocol", protocol()}, {"port", 80}}})}};
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
      fronts.push_back({name + " node port", twins_->ours.uplink(2, 1), node_port});
      fronts.push_back({name + " load balancer", balancer, 80});
      twins_->call(
          "PATCH", std::string(kServices) + "/" + object + "/status",
          {{"status",
            {{"loadBalancer", {{"ingress", Json::array({{{"ip", balancer.to_string()}}})}}}}}},
          kMergePatch);
    }
    Json entries = Json::array();
    for (const auto& each : endpoints) entries.push_back(endpoint_json(each));
    twins_->call(
        "POST", kSlices,
        {{"metadata", {{"name", object}, {"labels", {{"kubernetes.io/service-name", object}}}}},
         {"addressType", GetParam().v4() ? "IPv4" : "IPv6"},
         {"ports", Json::array({{{"name", "http"}, {"protocol", protocol()}, {"port", 8080}}})},
         {"endpoints", entries}});
    return fronts;
  }

  IpAddress numbered(const char* v4_front, const char* v6_front, int n) const {
    return ip((GetParam().v4() ? v4_front : v6_front) + std::to_string(n));
  }
  std::string protocol() const { return std::string(to_string(GetParam().protocol)); }
  static std::string question(const Space& from, const Front& front, int patience_ms) {
    const auto by = GetParam().protocol == ServiceProtocol::kTcp ? weft::test::ask_by_tcp : ask;
    return by(from, front.address, front.port, patience_ms);
  }

  // All that is answered to a number of questions.
  static std::set<std::string> verdict(const Space& from, const Front& front, int patience_ms) {
    std::set<std::string> answers{question(from, front, patience_ms)};
    // Neither becomes an answer by asking again.
    if (answers.contains("nothing") || answers.contains("refused")) return answers;
    for (int i = 1; i < kQuestions; ++i) answers.insert(question(from, front, 5000));
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

  std::unique_ptr<Twins> twins_ = std::make_unique<Twins>(GetParam());
};

const auto host = [](const IpAddress& address) { return Prefix::host(address).to_string(); };

INSTANTIATE_TEST_SUITE_P(Service, KubeProxyVerdicts,
                         testing::Values(Setting{"nftables", Family::kIpv4, ServiceProtocol::kUdp},
                                         Setting{"nftables", Family::kIpv6, ServiceProtocol::kTcp},
                                         Setting{"iptables", Family::kIpv4, ServiceProtocol::kTcp},
                                         Setting{"iptables", Family::kIpv6, ServiceProtocol::kUdp}),
                         [](const auto& param) { return name_of(param.param); });

TEST_P(KubeProxyVerdicts, AreEqualForATableOfServices) {
  const auto addresses = VerdictAddresses::of(GetParam().family);
  const Endpoint here = endpoint(addresses.here.to_string(), "here");
  const Endpoint there = endpoint(addresses.there.to_string());
  std::vector<Front> fronts;
  const auto add = [&](std::vector<Front> some) {
    fronts.insert(fronts.end(), some.begin(), some.end());
  };
  int n = 0;
  for (const auto& each : verdict_cases(GetParam().family))
    add(create(++n, each.name, each.service, each.endpoints));
  add(create(++n, "source_ranges", exposed(GetParam().family), {here},
             {{"loadBalancerSourceRanges", {host(twins_->ours.uplink(2, 9))}}}));
  add(create(++n, "source_ranges_of_others", exposed(GetParam().family), {here},
             {{"loadBalancerSourceRanges", {host(twins_->ours.uplink(2, 77))}}}));
  fronts.push_back({"a port that no service has", fronts[0].address, 81});
  fronts.push_back({"an address that no service has", numbered("10.96.200.", "fd00:96::2", 1), 80});
  fronts.push_back({"an address out of the ranges", numbered("10.97.200.", "fd00:97::", 1), 80});
  const auto sticky = create(++n, "affinity", exposed(GetParam().family), {here, there},
                             {{"sessionAffinity", "ClientIP"}});
  // Whoever has this one has all before it: it came last.
  const auto last = create(++n, "last", inner(GetParam().family), {here});
  for (const ServiceLab* lab : {&twins_->theirs, &twins_->ours})
    ASSERT_TRUE(eventually(
        [&] {
          const std::string answer = question(lab->pod_client, last[0], 200);
          return answer != "nothing" && answer != "refused";
        },
        std::chrono::seconds(60)))
        << twins_->kube_proxy->said() << twins_->weftd->said();
  compare(fronts);
  compare(sticky, true);
}

}  // namespace
}  // namespace weft::service
