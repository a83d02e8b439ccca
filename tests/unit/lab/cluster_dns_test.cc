// The DNS that a lab's file asks for: its Service, its pods, and what pods are told of it.
#include "lab/cluster_dns.h"

#include <gtest/gtest.h>

#include "lab/lab_json.h"
#include "lab/planner.h"
#include "lab/services.h"

namespace weft::lab {
namespace {

Lab planned(const LabFile& file, const Manifests& manifests = {}) {
  const auto lab = plan_lab("lab", file, manifests);
  EXPECT_TRUE(lab) << lab.error().text();
  return lab.value_or(Lab{});
}

TEST(ClusterDns, IsAServiceWithTheTenthAddressBeforePods) {
  const Lab lab = planned({.node_count = 2, .dns = DnsFile{.nodes = {"node2", "node2"}}});
  const auto services = services_of(lab);
  ASSERT_EQ(services.size(), 1U);
  EXPECT_EQ(services[0].name.to_string(), "kube-system/kube-dns");
  EXPECT_EQ(services[0].cluster_ips.at(0).to_string(), "10.96.0.10");
  EXPECT_EQ(lab.dns->address.to_string(), "10.96.0.10");
  for (const char* name : {"coredns-1", "coredns-2"}) {
    const Pod* pod = lab.pod(name);
    ASSERT_NE(pod, nullptr) << name;
    EXPECT_EQ(pod->node, "node2");
    EXPECT_TRUE(selects(services[0], *pod));
    EXPECT_TRUE(is_dns_server(*pod));
  }
  EXPECT_FALSE(is_dns_server(*lab.pod("node1-pod1")));
}

TEST(ClusterDns, StandsOnTheFirstNodeAndAsksTheOutsideHostByDefault) {
  const Lab lab = planned({.dns = DnsFile{}});
  EXPECT_EQ(lab.pod("coredns-1")->node, "node1");
  EXPECT_EQ(lab.dns->node_file, "nameserver 203.0.113.121\n");
  const auto back = parse_lab(to_json(lab));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(*back, lab);
}

TEST(ClusterDns, OfAnUnknownNodeIsRefused) {
  const auto lab = plan_lab("lab", {.dns = DnsFile{.nodes = {"nod1"}}}, {});
  ASSERT_FALSE(lab);
  EXPECT_NE(lab.error().text().find("did you mean node1?"), std::string::npos)
      << lab.error().text();
}

TEST(ClusterDns, PodsAreToldByTheirPolicy) {
  Manifests manifests;
  manifests.pods = {{.name = "first", .space = "shop"},
                    {.name = "as-node", .dns = {.policy = DnsPolicy::kDefault}},
                    {.name = "own",
                     .dns = {.policy = DnsPolicy::kNone,
                             .servers = {"203.0.113.9"},
                             .options = {{.name = "ndots", .value = "2"}}}}};
  const Lab lab =
      planned({.dns = DnsFile{.node_file = "search a.example\nnameserver 192.0.2.53"}}, manifests);
  const auto file_of = [&](const char* pod) {
    return print_resolv_conf(resolv_conf_of(lab, *lab.pod(pod)).file);
  };
  EXPECT_EQ(file_of("first"),
            "search shop.svc.cluster.local svc.cluster.local cluster.local a.example\n"
            "nameserver 10.96.0.10\noptions ndots:5\n");
  EXPECT_EQ(file_of("as-node"), "search a.example\nnameserver 192.0.2.53\n");
  EXPECT_EQ(file_of("own"), "nameserver 203.0.113.9\noptions ndots:2\n");
  EXPECT_EQ(file_of("coredns-1"), file_of("as-node")) << "it asks whom its node asks";
}

TEST(ClusterDns, TheServersServeTheDomainAndTheNames) {
  const Lab lab =
      planned({.dns = DnsFile{.domain = "lab.example",
                              .names = {{"www.example.com", *IpAddress::parse("203.0.113.80")}}}});
  EXPECT_NE(cluster_corefile(lab).find("kubernetes lab.example in-addr.arpa ip6.arpa {"),
            std::string::npos);
  EXPECT_NE(outside_corefile(lab).find("203.0.113.80 www.example.com\n"), std::string::npos);
}

}  // namespace
}  // namespace weft::lab
