#include "overlay/node_plan.h"

#include <gtest/gtest.h>

namespace weft::overlay {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

std::map<Family, PodNetwork> networks(const char* json) {
  return NetConf::parse(json).value().networks;
}

TEST(NodePlan, TheNodeSaysWhereItIsUnlessAnInterfaceWasNamed) {
  const Node node{.name = "a",
                  .internal_ips = {ip("192.0.2.1")},
                  .annotations = {{"node-public-ip", "198.51.100.1"}, {"node-public-ipv6", "x"}}};
  const auto hinted = with_hints_of_node(
      {.interfaces = {}, .public_addresses = {{Family::kIpv4, ip("203.0.113.1")}}}, node);
  EXPECT_EQ(hinted.node_addresses, node.internal_ips);
  EXPECT_EQ(hinted.public_addresses,
            (std::map<Family, IpAddress>{{Family::kIpv4, ip("198.51.100.1")}}));
  EXPECT_TRUE(with_hints_of_node({.interfaces = {"eth0"}, .public_addresses = {}}, node)
                  .node_addresses.empty());
}

struct Case {
  std::vector<std::string> pod_cidrs;
  const char* key;  ///< or
  const char* because;
};

TEST(NodePlan, ThePodCidrsHaveToFitTheNetworks) {
  const auto dual = networks(
      R"({"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd00::/48",
          "Backend":{"Type":"vxlan"}})");
  for (const auto& [cidrs, key, because] : std::vector<Case>{
           {{"10.244.1.0/24", "fd00:0:0:1::/64"}, "10.244.1.0-24&fd00:0:0:1::-64", ""},
           {{"fd00:0:0:1::/64", "10.244.1.0/24"}, "10.244.1.0-24&fd00:0:0:1::-64", ""},
           {{}, "", "no podCIDR; let kube-controller-manager"},
           {{"10.244.1.0/24"}, "", "no IPv6 podCIDR"},
           {{"10.99.1.0/24", "fd00:0:0:1::/64"}, "", "lies outside of the pod network 10.244"},
           {{"10.240.0.0/12", "fd00:0:0:1::/64"}, "", "lies outside"}}) {
    const auto own = own_subnet_of_node({.name = "a", .pod_cidrs = cidrs}, dual);
    ASSERT_EQ(own.has_value(), *because == '\0') << because;
    EXPECT_EQ(own ? own->to_string() : "", key);
    const std::string words = own ? "" : own.error().text();
    EXPECT_NE(words.find(because), std::string::npos) << words;
  }
  // A family that is not enabled is left out.
  EXPECT_EQ(
      own_subnet_of_node({.name = "a", .pod_cidrs = {"10.244.1.0/24", "fd00::/64"}},
                         networks(R"({"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}})"))
          ->to_string(),
      "10.244.1.0-24");
}

TEST(NodePlan, TheClusterCutsTheNetwork) {
  const auto cut =
      cut_as_node(networks(R"({"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}})"),
                  {.name = "a", .pod_cidrs = {"10.244.0.0/26"}});
  EXPECT_TRUE(cut.at(Family::kIpv4).allows(Prefix::parse("10.244.0.64/26").value()));
  EXPECT_TRUE(cut.at(Family::kIpv4).allows(Prefix::parse("10.244.255.192/26").value()));
  EXPECT_FALSE(cut.at(Family::kIpv4).allows(Prefix::parse("10.244.1.0/24").value()));
}

}  // namespace
}  // namespace weft::overlay
