// What a change of a service has iptables-restore write, and that it leaves nothing to be done.
#include "service/iptables_services.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "support/iptables_model.h"
#include "support/service_verdicts.h"

namespace weft::service {
namespace {

using namespace test;
using weft::test::IptablesModel;
using Words = std::vector<std::string>;

const ServiceName kWeb = web().name;

Endpoint pod(int number) {
  return endpoint("10.0.0." + std::to_string(number), "here");
}

ServicePlan planned(const Service& service, const std::vector<Endpoint>& endpoints) {
  return plan(service, {slice(endpoints)});
}

Service numbered(int number) {
  Service service = web();
  service.name.name = "web-" + std::to_string(number);
  service.cluster_ips = {ip("10.96.0." + std::to_string(number))};
  return service;
}

// Services, and tables of iptables that have been told all updates.
class Followed {
 public:
  explicit Followed(std::size_t rules_each = 1000) : rules_each_(rules_each), services_({}) {
    write(plan());
    services_.settled();
  }

  Words put(const Service& service, const std::vector<Endpoint>& endpoints) {
    services_.put(service.name, service.created, planned(service, endpoints));
    return follow();
  }
  Words remove(const ServiceName& name) {
    services_.remove(name);
    return follow();
  }
  Words follow() {
    const IptablesUpdate update = services_.take_update();
    write(update);
    EXPECT_EQ(describe(plan()), Words{});
    return describe(update);
  }
  IptablesUpdate plan() const {
    return plan_iptables(iptables_design(), services_.whole(), kernel_.tables());
  }
  void write(const IptablesUpdate& update) {
    for (const auto& script : restore_scripts(update, rules_each_)) kernel_.restore(script);
  }
  IptablesServices& services() { return services_; }
  IptablesModel& kernel() { return kernel_; }

 private:
  const std::size_t rules_each_;
  IptablesServices services_;
  IptablesModel kernel_;
};

const Words kShared{"filter chain KUBE-EXTERNAL-SERVICES: put",
                    "filter chain KUBE-NODEPORTS: put",
                    "filter chain KUBE-PROXY-FIREWALL: put",
                    "filter chain KUBE-SERVICES: put",
                    "nat chain KUBE-NODEPORTS: put",
                    "nat chain KUBE-SERVICES: put"};
Words with_shared(const Words& more) {
  Words all = kShared;
  all.insert(all.end(), more.begin(), more.end());
  std::sort(all.begin(), all.end());
  return all;
}
Words sorted(Words words) {
  std::sort(words.begin(), words.end());
  return words;
}

TEST(IptablesServices, AServiceIsItsChainsAndARuleInTheSharedOnes) {
  Followed node;
  EXPECT_EQ(sorted(node.put(web(), {pod(1), pod(2)})),
            with_shared({"nat chain KUBE-SVC-67NZLRHBNDSAWJRO: put",
                         "nat chain KUBE-SEP-CABXVTEVWWXCT3SI: put",
                         "nat chain KUBE-SEP-MPXWHJSGYP7ZOTSA: put"}));
  EXPECT_EQ(sorted(node.remove(kWeb)),
            with_shared({"nat chain KUBE-SVC-67NZLRHBNDSAWJRO: removed",
                         "nat chain KUBE-SEP-CABXVTEVWWXCT3SI: removed",
                         "nat chain KUBE-SEP-MPXWHJSGYP7ZOTSA: removed"}));
  EXPECT_EQ(node.remove(kWeb), Words{});
}

TEST(IptablesServices, AnEndpointCostsItsOwnChainsAndNoOthers) {
  Followed node;
  for (int i = 1; i <= 20; ++i) node.put(numbered(100 + i), {pod(i)});
  node.put(web(), {pod(1)});
  EXPECT_EQ(node.put(web(), {pod(1), pod(2)}), (Words{"nat chain KUBE-SEP-MPXWHJSGYP7ZOTSA: put",
                                                      "nat chain KUBE-SVC-67NZLRHBNDSAWJRO: put"}));
  EXPECT_EQ(node.put(web(), {pod(1)}), (Words{"nat chain KUBE-SVC-67NZLRHBNDSAWJRO: put",
                                              "nat chain KUBE-SEP-MPXWHJSGYP7ZOTSA: removed"}));
  EXPECT_EQ(node.put(web(), {pod(1)}), Words{});
  // The last one that goes makes the service refuse, which the shared chains say.
  EXPECT_EQ(sorted(node.put(web(), {})),
            with_shared({"nat chain KUBE-SVC-67NZLRHBNDSAWJRO: removed",
                         "nat chain KUBE-SEP-CABXVTEVWWXCT3SI: removed"}));
}

TEST(IptablesServices, ManyChangesAreOneUpdate) {
  Followed node;
  node.put(web(), {pod(1)});
  for (const auto& endpoints : {std::vector{pod(1), pod(2)}, {pod(2)}, {pod(1), pod(2)}, {pod(2)}})
    node.services().put(kWeb, {}, planned(web(), endpoints));
  EXPECT_EQ(node.follow(), (Words{"nat chain KUBE-SEP-MPXWHJSGYP7ZOTSA: put",
                                  "nat chain KUBE-SVC-67NZLRHBNDSAWJRO: put",
                                  "nat chain KUBE-SEP-CABXVTEVWWXCT3SI: removed"}));
  node.services().remove(kWeb);
  node.services().put(kWeb, {}, planned(web(), {pod(2)}));
  node.follow();
}

TEST(IptablesServices, TheOlderServiceHasAnAddressThatTwoAskFor) {
  const auto at = [](int seconds) { return UnixSeconds(std::chrono::seconds(seconds)); };
  Service older = exposed();
  Service younger = exposed();
  younger.name.name = "younger";
  younger.cluster_ips = {ip("10.96.0.77")};
  older.created = at(1);
  younger.created = at(2);
  Followed node;
  const auto entrances = [&](const std::string& part) {
    Words found;
    for (const auto& rule : node.kernel().tables().at("nat").chains.at("KUBE-SERVICES").rules)
      if (rule.find(part) != std::string::npos)
        found.push_back(
            rule.substr(rule.find("shop/"), rule.find(" external IP") - rule.find("shop/")));
    return found;
  };
  node.put(younger, {pod(1)});
  EXPECT_EQ(entrances("external IP"), Words{"shop/younger:http"});
  node.put(older, {pod(2)});
  EXPECT_EQ(entrances("external IP"), Words{"shop/web:http"});
  // Made anew, it is the younger one.
  older.created = at(3);
  node.put(older, {pod(2)});
  EXPECT_EQ(entrances("external IP"), Words{"shop/younger:http"});
  node.remove(younger.name);
  EXPECT_EQ(entrances("external IP"), Words{"shop/web:http"});
}

TEST(IptablesServices, ManyEndpointsHaveNoComments) {
  Followed node;
  std::vector<Endpoint> many;
  for (int i = 0; i < 1001; ++i)
    many.push_back(endpoint("10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250)));
  node.put(web(), {pod(1)});
  node.put(numbered(1), many);
  const auto text = [&] {
    std::string all;
    for (const auto& [chain, contents] : node.kernel().tables().at("nat").chains)
      if (chain.starts_with("KUBE-SVC-"))
        for (const auto& rule : contents.rules) all += rule + "\n";
    return all;
  };
  // Who was there keeps its comments until it changes.
  EXPECT_NE(text().find("shop/web:http -> "), std::string::npos);
  EXPECT_EQ(text().find("shop/web-1:http -> "), std::string::npos);
  node.put(web(), {pod(1), pod(2)});
  EXPECT_EQ(text().find(" -> "), std::string::npos);
  node.remove(numbered(1).name);
  node.put(web(), {pod(1)});
  EXPECT_NE(text().find("shop/web:http -> "), std::string::npos);
}

TEST(IptablesServices, OtherOptionsAreWrittenWhereTheyDiffer) {
  Followed node;
  node.put(web(), {pod(1)});
  node.services().set_options({.rules = {.masquerade_mark = 0x8000}});
  EXPECT_EQ(describe(node.plan()),
            (Words{"filter chain KUBE-FORWARD: put", "nat chain KUBE-MARK-MASQ: put",
                   "nat chain KUBE-POSTROUTING: put"}));
}

TEST(IptablesServices, AnySeriesOfChangesLeavesNothingToBeDone) {
  std::mt19937 random(7);
  const auto below = [&](int bound) {
    return static_cast<int>(random() % static_cast<unsigned>(bound));
  };
  for (const std::size_t rules_each : {1U, 7U, 1000U}) {
    Followed node(rules_each);
    for (int step = 0; step < 150; ++step) {
      Service service = below(2) == 0 ? numbered(1 + below(5)) : exposed();
      service.name.name = "web-" + std::to_string(below(6));
      service.created = UnixSeconds(std::chrono::seconds(below(3)));
      if (below(3) == 0) service = outside_local(service);
      if (below(3) == 0) service = inside_local(service);
      if (below(4) == 0) service.client_affinity = std::chrono::seconds(60);
      if (below(4) == 0) {
        service.has_source_ranges = true;
        service.load_balancer_source_ranges = {prefix("192.0.2.0/24")};
      }
      std::vector<Endpoint> endpoints;
      for (int i = below(4); i > 0; --i)
        endpoints.push_back(
            endpoint("10.0.0." + std::to_string(1 + below(4)), below(2) == 0 ? "here" : "there"));
      if (below(5) == 0)
        node.remove(service.name);
      else
        node.put(service, endpoints);
      ASSERT_FALSE(testing::Test::HasFailure()) << "step " << step;
    }
  }
}

// --- what is read
// -------------------------------------------------------------------------------

TEST(IptablesUpdate, WhatIsOthersStays) {
  Followed node;
  node.put(web(), {pod(1)});
  node.kernel().restore(
      "*nat\n:CNI-HOSTPORT-DNAT - [0:0]\n-A PREROUTING -j CNI-HOSTPORT-DNAT\nCOMMIT\n"
      "*filter\n:KUBE-KUBELET-CANARY - [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n");
  EXPECT_EQ(node.plan(), IptablesUpdate{});
}

TEST(IptablesUpdate, WhatOthersDidIsPutRight) {
  Followed node;
  node.put(web(), {pod(1)});
  node.kernel().restore(
      "*nat\n:KUBE-SVC-67NZLRHBNDSAWJRO - [0:0]\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\n"
      ":KUBE-XLB-AAAAAAAAAAAAAAAA - [0:0]\nCOMMIT\n");
  node.kernel().chain("filter", "FORWARD").rules.clear();
  EXPECT_EQ(describe(node.plan()), (Words{"filter jump from FORWARD to KUBE-EXTERNAL-SERVICES: put",
                                          "filter jump from FORWARD to KUBE-SERVICES: put",
                                          "filter jump from FORWARD to KUBE-FORWARD: put",
                                          "filter jump from FORWARD to KUBE-PROXY-FIREWALL: put",
                                          "nat chain KUBE-SVC-67NZLRHBNDSAWJRO: put",
                                          "nat chain KUBE-SVC-AAAAAAAAAAAAAAAA: removed",
                                          "nat chain KUBE-XLB-AAAAAAAAAAAAAAAA: removed"}));
  node.write(node.plan());
  EXPECT_EQ(node.plan(), IptablesUpdate{});
  // The last one that is put is the first one that is met.
  EXPECT_EQ(node.kernel().chain("filter", "FORWARD").rules.at(0),
            "-m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\" "
            "-j KUBE-PROXY-FIREWALL");
}

TEST(IptablesUpdate, AChainThatOthersHoldIsOnlyEmptied) {
  Followed node;
  node.kernel().restore(
      "*nat\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\n-A KUBE-SVC-AAAAAAAAAAAAAAAA -j ACCEPT\n"
      "-A INPUT -j KUBE-SVC-AAAAAAAAAAAAAAAA\nCOMMIT\n");
  EXPECT_EQ(describe(node.plan()), Words{"nat chain KUBE-SVC-AAAAAAAAAAAAAAAA: put"});
  node.write(node.plan());
  EXPECT_EQ(node.plan(), IptablesUpdate{});
}

TEST(IptablesUpdate, TheWordsOfOtherReleasesAreNoDifference) {
  Followed node;
  node.put(web(), {pod(1)});
  auto& rule = node.kernel().chain("nat", "KUBE-SEP-CABXVTEVWWXCT3SI").rules.at(1);
  ASSERT_EQ(rule,
            "-p tcp -m comment --comment \"shop/web:http\" -m tcp -j DNAT --to-destination "
            "10.0.0.1:8080");
  rule = "-p tcp -m comment --comment \"shop/web:http\" -j DNAT --to-destination 10.0.0.1:8080";
  EXPECT_EQ(node.plan(), IptablesUpdate{});
}

TEST(IptablesUpdate, TheProxyGoesAndLeavesOnlyWhatIsOthers) {
  Followed node;
  node.put(exposed(), {pod(1)});
  node.kernel().restore(
      "*mangle\n:KUBE-PROXY-CANARY - [0:0]\nCOMMIT\n"
      "*filter\n:OTHER - [0:0]\n-A OTHER -j KUBE-PROXY-FIREWALL\n-A INPUT -i lo -j "
      "ACCEPT\nCOMMIT\n");
  for (const auto& script : restore_scripts(
           plan_iptables_removal(iptables_design().is_own, node.kernel().tables()), 1000))
    node.kernel().restore(script);
  std::string left;
  for (const auto& [table, contents] : node.kernel().tables())
    for (const auto& [chain, rules] : contents.chains) {
      if (!rules.policy) left += table + " " + chain + "\n";
      for (const auto& rule : rules.rules) left += table + " " + chain + " " + rule + "\n";
    }
  EXPECT_EQ(left,
            "filter INPUT -j KUBE-FIREWALL\n"
            "filter INPUT -i lo -j ACCEPT\n"
            "filter KUBE-FIREWALL\n"
            "filter KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment \"block "
            "incoming localnet connections\" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j "
            "DROP\n"
            "filter KUBE-PROXY-FIREWALL\n"
            "filter OTHER\n"
            "filter OTHER -j KUBE-PROXY-FIREWALL\n"
            "filter OUTPUT -j KUBE-FIREWALL\n");
}

TEST(IptablesUpdate, LargeOnesAreManyInputsAndTheEntrancesComeLast) {
  IptablesServices services({});
  for (int i = 1; i <= 100; ++i)
    services.put(numbered(i).name, {}, planned(numbered(i), {pod(1), pod(2)}));
  const auto scripts = restore_scripts(plan_iptables(iptables_design(), services.whole(), {}), 100);
  EXPECT_GT(scripts.size(), 5U);
  for (const auto& script : scripts) EXPECT_LT(std::count(script.begin(), script.end(), '\n'), 400);
  for (std::size_t i = 0; i + 1 < scripts.size(); ++i) {
    EXPECT_EQ(scripts[i].find("PREROUTING"), std::string::npos);
    EXPECT_EQ(commits_of(scripts[i]), 1U);
  }
  EXPECT_NE(scripts.back().find("-I PREROUTING "), std::string::npos);
  EXPECT_EQ(commits_of(scripts.back()), 2U);
}

TEST(IptablesUpdate, TheLineThatIsBlamedIsFound) {
  const std::string script = "*nat\n:A - [0:0]\n-A A -j B\nCOMMIT\n";
  EXPECT_EQ(blamed_line(script, "iptables-restore: line 3 failed"), "-A A -j B");
  EXPECT_EQ(blamed_line(script, "Error occurred at line: 2\nTry `x'"), ":A - [0:0]");
  EXPECT_EQ(blamed_line(script, "a line of words, line 4 failed"), "COMMIT");
  for (const char* none : {"no such file", "line", "line 0", "line 99", "line x"})
    EXPECT_EQ(blamed_line(script, none), "") << none;
}

}  // namespace
}  // namespace weft::service
