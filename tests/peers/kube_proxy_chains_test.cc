// Iptables mode beside the real kube-proxy: the same objects, the same chains; a node goes from one
// to the other and back.
#include <set>

#include <gtest/gtest.h>

#include "base/files.h"
#include "kernel/iptables.h"
#include "proxied_cluster.h"
#include "service/iptables_mode.h"
#include "service/kube_services.h"
#include "service/service_feed.h"
#include "support/eventually.h"
#include "support/go_peers.h"
#include "support/service_lab.h"
#include "support/service_verdicts.h"

namespace weft::service {
namespace {

using namespace test;
using weft::test::ask;
using weft::test::eventually;
using weft::test::go_peer;
using weft::test::json;
using weft::test::kMergePatch;
using weft::test::kServices;
using weft::test::kSlices;
using weft::test::KubeServer;
using weft::test::must;
using weft::test::ServerProcess;
using weft::test::ServiceLab;
using weft::test::TempDir;
using Words = std::vector<std::string>;

// One service of each kind, all with the pods "here" and "there" but for those that say otherwise.
struct Kind {
  const char* name;
  const char* spec;
  const char* status = nullptr;
  bool here = true;
  bool there = true;
};
constexpr Kind kKinds[] = {
    {"plain", R"({"ports":[{"name":"http","protocol":"UDP","port":80}]})"},
    {"nameless", R"({"ports":[{"port":80,"protocol":"TCP"}]})"},
    {"several", R"({"ports":[{"name":"dns","protocol":"UDP","port":53},
                             {"name":"dns-tcp","protocol":"TCP","port":53}]})"},
    {"sticky", R"({"ports":[{"name":"http","protocol":"UDP","port":80}],
                   "sessionAffinity":"ClientIP"})"},
    {"node-port", R"({"type":"NodePort","ports":[{"name":"http","protocol":"UDP","port":80}]})"},
    {"external", R"({"ports":[{"name":"http","protocol":"UDP","port":80}],
                     "externalIPs":["198.51.100.7"]})"},
    {"balanced",
     R"({"type":"LoadBalancer","ports":[{"name":"http","protocol":"UDP","port":80}],
         "loadBalancerSourceRanges":["192.0.2.0/24"]})",
     R"({"loadBalancer":{"ingress":[{"ip":"203.0.113.7"}]}})"},
    {"balanced-local",
     R"({"type":"LoadBalancer","ports":[{"name":"http","protocol":"UDP","port":80}],
         "externalTrafficPolicy":"Local"})",
     R"({"loadBalancer":{"ingress":[{"ip":"203.0.113.8"}]}})"},
    {"local-elsewhere",
     R"({"type":"NodePort","ports":[{"name":"http","protocol":"UDP","port":80}],
         "externalTrafficPolicy":"Local"})",
     nullptr, false, true},
    {"inside-local", R"({"ports":[{"name":"http","protocol":"UDP","port":80}],
                         "internalTrafficPolicy":"Local"})"},
    {"inside-elsewhere",
     R"({"ports":[{"name":"http","protocol":"UDP","port":80}],"internalTrafficPolicy":"Local"})",
     nullptr, false, true},
    {"nobody",
     R"({"type":"NodePort","ports":[{"name":"http","protocol":"UDP","port":80}],
         "externalIPs":["198.51.100.8"]})",
     nullptr, false, false},
};

class BesideKubeProxy : public testing::Test {
 protected:
  BesideKubeProxy() {
    lab_.node.in([&] {
      server_ = std::make_unique<KubeServer>();
      weft::test::allow_proxies(*server_);
      server_->create_node("here", "10.244.1.0/24", Json::object(), "192.0.2.1");
      for (const Kind& kind : kKinds) create(kind);
    });
  }
  void create(const Kind& kind) {
    const Json made = server_->call(
        "POST", kServices, Json{{"metadata", {{"name", kind.name}}}, {"spec", json(kind.spec)}});
    addresses_[kind.name] = ip(made["spec"]["clusterIP"].get<std::string>());
    if (kind.status != nullptr)
      server_->call("PATCH", std::string(kServices) + "/" + kind.name + "/status",
                    Json{{"status", json(kind.status)}}, kMergePatch);
    Json ports = Json::array();
    for (const auto& port : made["spec"]["ports"])
      ports.push_back(
          {{"name", port.value("name", "")}, {"protocol", port["protocol"]}, {"port", 8080}});
    Json endpoints = Json::array();
    if (kind.here)
      for (const char* address : {"10.244.1.10", "10.244.1.11"})
        endpoints.push_back({{"addresses", {address}}, {"nodeName", "here"}});
    if (kind.there) endpoints.push_back({{"addresses", {"10.244.2.10"}}, {"nodeName", "there"}});
    server_->call("POST", kSlices,
                  Json{{"metadata",
                        {{"name", std::string(kind.name) + "-1"},
                         {"labels", {{"kubernetes.io/service-name", kind.name}}}}},
                       {"addressType", "IPv4"},
                       {"ports", ports},
                       {"endpoints", endpoints}});
  }

  void start_kube_proxy() {
    lab_.node.in([&] {
      ASSERT_TRUE(kube_proxy_.start(
          weft::test::proxy_command(
              {go_peer("kube-proxy")}, *server_,
              {"--proxy-mode=iptables", "--cluster-cidr=10.244.0.0/16", "--bind-address=0.0.0.0",
               "--healthz-bind-address=127.0.0.1:10256", "--metrics-bind-address=127.0.0.1:10249"}),
          dir_.path() + "/kube-proxy.log"));
    });
  }
  bool answers(const std::string& service, const std::string& expected) {
    return eventually([&] {
      const std::string all = ask(lab_.pod_client, addresses_.at(service), 80, 200);
      return expected.find(all.substr(0, all.find(' '))) != std::string::npos;
    });
  }
  // All services as our mode gets them.
  std::vector<PlannedService> planned() {
    ServiceFeed feed(kHere);
    return lab_.node.in([&] {
      KubeReader reader(server_->access());
      const KubeServices source(reader, feed, [] {});
      EXPECT_TRUE(eventually([&] { return feed.complete(); }));
      return feed.take_all({Family::kIpv4}, {.node = kHere}).services;
    });
  }
  // What differs between the kernel's rules and ours, and is made so.
  Words take_over(const std::vector<PlannedService>& services) {
    return lab_.node.in([&] {
      auto mode = must(IptablesMode::open(
          {{.family = Family::kIpv4, .detector = {.ranges = {prefix("10.244.0.0/16")}}}}));
      const auto before = read();
      must(mode.start(services));
      return difference(before, read());
    });
  }
  static std::map<std::string, IptablesTable> read() {
    const auto programs = must(kernel::Iptables::find(Family::kIpv4));
    return {{"filter", must(programs.read("filter"))}, {"nat", must(programs.read("nat"))}};
  }
  // "nat KUBE-X -RULE", "nat KUBE-X +RULE"; a chain that is new or gone has no rule.
  static Words difference(const std::map<std::string, IptablesTable>& before,
                          const std::map<std::string, IptablesTable>& after) {
    const auto rules = [](const std::map<std::string, IptablesTable>& tables) {
      std::set<std::string> all;
      for (const auto& [table, contents] : tables)
        for (const auto& [chain, each] : contents.chains) {
          all.insert(table + " " + chain + " ");
          for (const auto& rule : each.rules) all.insert(table + " " + chain + " " + rule);
        }
      return all;
    };
    Words words;
    const auto old_rules = rules(before);
    const auto new_rules = rules(after);
    for (const auto& rule : old_rules)
      if (!new_rules.contains(rule)) words.push_back("- " + rule);
    for (const auto& rule : new_rules)
      if (!old_rules.contains(rule)) words.push_back("+ " + rule);
    return words;
  }

  TempDir dir_;
  ServiceLab lab_{Family::kIpv4};
  std::unique_ptr<KubeServer> server_;
  std::map<std::string, IpAddress> addresses_;
  ServerProcess kube_proxy_;
};

TEST_F(BesideKubeProxy, ANodeGoesFromOneToTheOtherAndBackChainForChain) {
  start_kube_proxy();
  ASSERT_TRUE(answers("plain", "here here-too there"))
      << must(read_file(dir_.path() + "/kube-proxy.log"));
  ASSERT_TRUE(answers("nobody", "refused"));
  kube_proxy_.end(SIGTERM);
  const auto services = planned();
  // kube-proxy counts two kinds of packets with nfacct; see iptables_rules.h.
  for (const auto& word : take_over(services))
    EXPECT_TRUE(word.find("nfacct") != std::string::npos ||
                word == "+ filter KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP")
        << word;
  EXPECT_TRUE(answers("plain", "here here-too there"));
  EXPECT_TRUE(answers("inside-local", "here here-too"));
  EXPECT_TRUE(answers("nobody", "refused"));
  // A second look finds nothing to do.
  EXPECT_EQ(take_over(services), Words{});

  // And back: what kube-proxy changes is again no more than that.
  const auto ours = lab_.node.in([] { return read(); });
  start_kube_proxy();
  ASSERT_TRUE(eventually([&] {
    return !lab_.node.in([&] { return difference(ours, read()); }).empty();
  })) << must(read_file(dir_.path() + "/kube-proxy.log"));
  EXPECT_TRUE(answers("plain", "here here-too there"));
  kube_proxy_.end(SIGTERM);
  for (const auto& word : lab_.node.in([&] { return difference(ours, read()); }))
    EXPECT_TRUE(word.find("nfacct") != std::string::npos ||
                word == "- filter KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP" ||
                word.find("KUBE-PROXY-CANARY") != std::string::npos)
        << word;
}

}  // namespace
}  // namespace weft::service
