#include "service/service_plan.h"

#include <gtest/gtest.h>

#include "support/service_verdicts.h"

namespace weft::service {
namespace {

using namespace test;

const Endpoint kThere = endpoint("10.0.0.1");
const Endpoint kLocalPod = endpoint("10.0.0.2", "here");

std::string word(const Verdict& verdict) {
  if (verdict.action == Verdict::Action::kReject) return "reject";
  if (verdict.action == Verdict::Action::kDrop) return "drop";
  return std::string(verdict.to_local_set ? "local" : "cluster") +
         (verdict.masquerade ? "+masquerade" : "");
}

// What becomes of packets of a pod here, of the node, and of others.
std::string verdicts(const PortPlan& port, const Front& front, const MasqueradeRules& rules) {
  return word(verdict_for(port, front, Source::kLocalPod, rules)) + " " +
         word(verdict_for(port, front, Source::kNode, rules)) + " " +
         word(verdict_for(port, front, Source::kElsewhere, rules));
}

TEST(ServicePlan, SaysWhatBecomesOfTrafficByWhereItComesFrom) {
  for (const auto& each : verdict_cases(Family::kIpv4)) {
    SCOPED_TRACE(each.name);
    const auto planned = plan(each.service, {slice(each.endpoints)});
    ASSERT_EQ(planned.ports.size(), 1U);
    const PortPlan& port = planned.ports[0];
    EXPECT_EQ(port.fronts.size() > 1, !each.outside.empty());
    for (const Front& front : port.fronts)
      EXPECT_EQ(verdicts(port, front, {.detects_pods = true}),
                front.kind == FrontKind::kClusterIp ? each.inside : each.outside);
  }
}

TEST(ServicePlan, MasqueradesClusterTrafficAsTheOperatorSays) {
  const auto planned = plan(web(), {slice({kThere})});
  const PortPlan& port = planned.ports.at(0);
  const Front& front = port.fronts.at(0);
  EXPECT_EQ(verdicts(port, front, {}), "cluster cluster cluster");
  EXPECT_EQ(verdicts(port, front, {.all = true}),
            "cluster+masquerade cluster+masquerade cluster+masquerade");
  const auto local = plan(inside_local(web()), {slice({kLocalPod})});
  EXPECT_EQ(verdicts(local.ports.at(0), local.ports[0].fronts.at(0), {.all = true}),
            "local+masquerade local+masquerade local+masquerade");
}

// "cluster-ip 10.96.0.10:80 node-port 0.0.0.0:30080"
std::string fronts(const ServicePlan& planned) {
  constexpr const char* kKinds[] = {"cluster-ip", "load-balancer", "external-ip", "node-port"};
  std::string all;
  for (const auto& port : planned.ports)
    for (const auto& front : port.fronts)
      all += (all.empty() ? "" : " ") + std::string(kKinds[static_cast<int>(front.kind)]) + " " +
             front.address.to_string() + ":" + std::to_string(front.port);
  return all;
}

TEST(ServicePlan, HasAFrontForEachWayIn) {
  EXPECT_EQ(fronts(plan(exposed(), {})),
            "cluster-ip 10.96.0.10:80 load-balancer 203.0.113.1:80 external-ip 198.51.100.1:80 "
            "node-port 0.0.0.0:30080");
  EXPECT_EQ(fronts(plan(web(), {})), "cluster-ip 10.96.0.10:80");
}

struct Absence {
  const char* name;
  std::function<void(Service&)> change;
};

TEST(ServicePlan, LeavesOutServicesThatAreNotForThisProxy) {
  const Absence cases[] = {
      {"without_a_cluster_address", [](auto& s) { s.cluster_ips.clear(); }},
      {"headless", [](auto& s) { s.headless = true; }},
      {"external_name", [](auto& s) { s.type = ServiceType::kExternalName; }},
      {"another_proxys", [](auto& s) { s.other_proxy = true; }},
      {"labelled_headless", [](auto& s) { s.headless_label = true; }},
      {"without_ports", [](auto& s) { s.ports.clear(); }},
      {"of_the_other_family", [](auto& s) { s.cluster_ips = {ip("fd00::a")}; }},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    EXPECT_TRUE(plan(with(exposed(), each.change), {slice({kThere})}).ports.empty());
  }
}

TEST(ServicePlan, KeepsTheFamiliesApart) {
  const Service dual = with(exposed(), [](Service& s) {
    s.cluster_ips.push_back(ip("fd00::a"));
    s.external_ips.push_back(ip("2001:db8::1"));
    s.load_balancer_ips = {ip("2001:db8::2")};
  });
  EndpointSlice v6 = slice({endpoint("fd01::1")}, "web-6");
  v6.family = Family::kIpv6;
  const std::vector<EndpointSlice> slices{slice({kThere}), v6};
  const auto planned = plan(dual, slices, {.node = kHere}, Family::kIpv6);
  EXPECT_EQ(fronts(planned),
            "cluster-ip fd00::a:80 load-balancer 2001:db8::2:80 external-ip 2001:db8::1:80 "
            "node-port :::30080");
  EXPECT_EQ(text(planned.ports.at(0).cluster), "fd01::1:8080");
  EXPECT_EQ(fronts(plan(dual, slices)),
            "cluster-ip 10.96.0.10:80 external-ip 198.51.100.1:80 node-port 0.0.0.0:30080");
}

TEST(ServicePlan, KeepsThePortsOfAServiceApart) {
  Service service = web();
  service.ports = {
      {.name = "http", .port = 53, .node_port = 30053},
      {.name = "dns", .protocol = ServiceProtocol::kUdp, .port = 53, .node_port = 30053}};
  EndpointSlice both = slice({kThere});
  both.ports.push_back({.name = "dns", .protocol = ServiceProtocol::kUdp, .port = 5353});
  const auto planned = plan(service, {both});
  ASSERT_EQ(planned.ports.size(), 2U);
  EXPECT_EQ(text(planned.ports[0].cluster), "10.0.0.1:8080");
  EXPECT_EQ(text(planned.ports[1].cluster), "10.0.0.1:5353");
  EXPECT_EQ(planned.ports[1].fronts.size(), 2U);
}

TEST(ServicePlan, HasNoFrontTwice) {
  // The load balancer's restrictions hold where the address is an external one as well.
  EXPECT_EQ(fronts(plan(with(exposed(),
                             [](Service& s) {
                               s.external_ips = {ip("203.0.113.1"), ip("10.96.0.10")};
                               s.ports.push_back({.name = "more",
                                                  .protocol = ServiceProtocol::kUdp,
                                                  .port = 81,
                                                  .node_port = 30080});
                             }),
                        {})),
            "cluster-ip 10.96.0.10:80 load-balancer 203.0.113.1:80 node-port 0.0.0.0:30080 "
            "cluster-ip 10.96.0.10:81 load-balancer 203.0.113.1:81");
}

TEST(ServicePlan, TakesExternalAddressesOnlyFromTheRangesForThem) {
  const PlanOptions options{.node = kHere, .external_ranges = {prefix("203.0.113.0/24")}};
  EXPECT_EQ(fronts(plan(exposed(), {}, options)),
            "cluster-ip 10.96.0.10:80 load-balancer 203.0.113.1:80 node-port 0.0.0.0:30080");
}

std::string sources(const ServicePlan& planned) {
  if (!planned.restricted) return "anyone";
  std::string all;
  for (const auto& range : planned.allowed_sources)
    all += (all.empty() ? "" : " ") + range.to_string();
  return all;
}

TEST(ServicePlan, RestrictsTheLoadBalancersAddressesToTheSourceRanges) {
  const auto ranges = [](std::vector<Prefix> given) {
    return with(exposed(), [&](Service& s) {
      s.has_source_ranges = true;
      s.load_balancer_source_ranges = std::move(given);
    });
  };
  EXPECT_EQ(sources(plan(exposed(), {})), "anyone");
  const auto some = plan(ranges({prefix("10.9.0.0/16"), prefix("2001:db8::/32")}), {});
  EXPECT_EQ(sources(some), "10.9.0.0/16");
  for (const Front& front : some.ports.at(0).fronts) {
    EXPECT_TRUE(may_use(some, front, ip("10.9.1.1")));
    EXPECT_EQ(may_use(some, front, ip("10.8.1.1")), front.kind != FrontKind::kLoadBalancer);
  }
  // The node's own address is among them: then it may use the balancer's address as its own.
  EXPECT_EQ(sources(plan(ranges({prefix("192.0.2.0/24")}), {})), "192.0.2.0/24 203.0.113.1/32");
  EXPECT_EQ(sources(plan(ranges({prefix("0.0.0.0/0")}), {})), "0.0.0.0/0");
  EXPECT_EQ(sources(plan(ranges({prefix("10.9.1.0/24"), prefix("10.10.0.0/16"),
                                 prefix("10.9.0.0/16"), prefix("10.9.0.0/16")}),
                         {})),
            "10.9.0.0/16 10.10.0.0/16");
  EXPECT_EQ(sources(plan(ranges({prefix("2001:db8::/32")}), {})), "anyone");
  EXPECT_EQ(sources(plan(ranges({}), {})), "");
}

TEST(ServicePlan, CarriesTheAffinity) {
  EXPECT_EQ(plan(web(), {}).ports.at(0).affinity_seconds, 0U);
  const Service sticky =
      with(web(), [](Service& s) { s.client_affinity = std::chrono::seconds(60); });
  EXPECT_EQ(plan(sticky, {}).ports.at(0).affinity_seconds, 60U);
}

}  // namespace
}  // namespace weft::service
