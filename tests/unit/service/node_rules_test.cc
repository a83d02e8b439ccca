#include "service/node_rules.h"

#include <gtest/gtest.h>

#include "support/service_cases.h"

namespace weft::service {
namespace {

using namespace test;
using Addresses = std::vector<IpAddress>;

const OwnNode kNode{.addresses = {ip("192.0.2.1"), ip("fd00::1")},
                    .zone = "east",
                    .pod_cidrs = {prefix("10.244.1.0/24"), prefix("fd00:244:1::/64")}};
const Addresses kOwn{ip("127.0.0.1"), ip("192.0.2.1"), ip("198.51.100.7"), ip("::1"),
                     ip("fd00::1")};

RuleOptions rules(const ProxyConfig& config, Family family = Family::kIpv4,
                  const OwnNode& node = kNode) {
  return rule_options(
      family, {.config = config, .node = node, .own_addresses = kOwn, .service_ranges = {}});
}

std::optional<Addresses> ports_at(const std::string& mode, std::vector<std::string> words,
                                  Family family = Family::kIpv4, const OwnNode& node = kNode) {
  ProxyConfig config;
  config.mode = mode;
  config.node_port_addresses = std::move(words);
  return rules(config, family, node).node_port_addresses;
}

TEST(NodeRules, NodePortsAreServedWhereTheConfigurationSays) {
  EXPECT_EQ(ports_at("nftables", {}), Addresses{ip("192.0.2.1")});
  EXPECT_EQ(ports_at("nftables", {}, Family::kIpv6), Addresses{ip("fd00::1")});
  // Who comes from kube-proxy's own default mode keeps what that does.
  EXPECT_EQ(ports_at("", {}), std::nullopt);
  EXPECT_EQ(ports_at("", {"primary"}), Addresses{ip("192.0.2.1")});
  EXPECT_EQ(ports_at("", {"192.0.2.0/24", "198.51.100.0/24"}),
            (Addresses{ip("192.0.2.1"), ip("198.51.100.7")}));
  EXPECT_EQ(ports_at("", {"203.0.113.0/24"}), Addresses{});
  EXPECT_EQ(ports_at("", {"192.0.2.0/24", "0.0.0.0/0"}), std::nullopt);
  // Of the other family nothing is said.
  EXPECT_EQ(ports_at("", {"192.0.2.0/24"}, Family::kIpv6), std::nullopt);
  EXPECT_EQ(ports_at("", {"127.0.0.0/8"}), Addresses{});
  EXPECT_EQ(ports_at("nftables", {}, Family::kIpv4, {}), std::nullopt);
}

TEST(NodeRules, TheNodesOwnAddressIsThatOfTheNodeOrOfTheConfiguration) {
  ProxyConfig config;
  EXPECT_EQ(primary_addresses(config, kNode), (Addresses{ip("192.0.2.1"), ip("fd00::1")}));
  EXPECT_EQ(primary_addresses(config, {}), (Addresses{ip("127.0.0.1"), ip("::1")}));
  config.bind_address = "198.51.100.7";
  EXPECT_EQ(primary_addresses(config, kNode), (Addresses{ip("198.51.100.7"), ip("fd00::1")}));
}

TEST(NodeRules, PodsAreToldByTheChosenDetector) {
  ProxyConfig config;
  config.cluster_cidr = "10.244.0.0/16,fd00:244::/48";
  config.detect_local = {.bridge_interface = "cni0", .interface_name_prefix = "veth"};
  EXPECT_EQ(local_detector(config, kNode),
            (LocalDetector{.ranges = {prefix("10.244.0.0/16"), prefix("fd00:244::/48")}}));
  config.detect_local_mode = "NodeCIDR";
  EXPECT_EQ(local_detector(config, kNode), (LocalDetector{.ranges = kNode.pod_cidrs}));
  EXPECT_EQ(local_detector(config, {}), LocalDetector{});
  config.detect_local_mode = "BridgeInterface";
  EXPECT_EQ(local_detector(config, kNode), (LocalDetector{.bridge = "cni0"}));
  config.detect_local_mode = "InterfaceNamePrefix";
  EXPECT_EQ(local_detector(config, kNode), (LocalDetector{.link_prefix = "veth"}));
}

TEST(NodeRules, TheMarkIsTheChosenBit) {
  ProxyConfig config;
  EXPECT_EQ(rules(config).masquerade_mark, 0x4000U);
  config.mode = "nftables";
  config.nftables.masquerade_bit = 31;
  config.nftables.masquerade_all = true;
  EXPECT_EQ(rules(config).masquerade_mark, 0x80000000U);
  EXPECT_TRUE(rules(config).masquerade_all);
}

TEST(OwnNode, IsWhatTheNodeSays) {
  const auto node = Node::read(parse_json(R"({"kind":"Node","metadata":{"name":"here",
    "labels":{"topology.kubernetes.io/zone":"east"}},
    "spec":{"podCIDRs":["10.244.1.0/24","nonsense"],"taints":[{"key":"a","effect":"NoSchedule"}]},
    "status":{"addresses":[{"type":"Hostname","address":"here"},
      {"type":"ExternalIP","address":"203.0.113.1"},{"type":"InternalIP","address":"192.0.2.1"},
      {"type":"InternalIP","address":"192.0.2.2"},{"type":"InternalIP","address":"x"},
      {"type":"ExternalIP","address":"2001:db8::1"}]}})")
                                   .value());
  ASSERT_TRUE(node) << node.error().text();
  const OwnNode own = own_node(*node);
  EXPECT_EQ(own.addresses, (Addresses{ip("192.0.2.1"), ip("2001:db8::1")}));
  EXPECT_EQ(own.zone, "east");
  EXPECT_EQ(own.pod_cidrs, std::vector{prefix("10.244.1.0/24")});
  EXPECT_TRUE(own.eligible);
  Node leaving = *node;
  leaving.taints.emplace_back("ToBeDeletedByClusterAutoscaler");
  EXPECT_FALSE(own_node(leaving).eligible);
  leaving = *node;
  leaving.deleting = true;
  EXPECT_FALSE(own_node(leaving).eligible);
}

TEST(OwnNode, AManifestThatIsNoneIsRefused) {
  for (const char* text :
       {R"({})", R"({"metadata":{"name":""}})", R"({"metadata":{"name":"a"},"spec":[]})",
        R"({"metadata":{"name":"a"},"spec":{"taints":[{"key":1}]}})",
        R"({"metadata":{"name":"a"},"status":{"addresses":[{"type":"InternalIP","address":1}]}})"})
    EXPECT_FALSE(Node::read(parse_json(text).value())) << text;
}

}  // namespace
}  // namespace weft::service
