#include "cluster/node.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

struct PrefixCase {
  const char* prefix;
  const char* backend_type;  ///< the key, or nullptr where it is refused
};

TEST(AnnotationPrefix, FollowsFlannelsRules) {
  for (const auto& [prefix, backend_type] :
       {PrefixCase{"flannel.alpha.coreos.com", "flannel.alpha.coreos.com/backend-type"},
        {"flannel.alpha.coreos.com/", "flannel.alpha.coreos.com/backend-type"},
        {"flannel.alpha.coreos.com/prefix", "flannel.alpha.coreos.com/prefix-backend-type"},
        {"flannel.alpha.coreos.com/prefix-", "flannel.alpha.coreos.com/prefix-backend-type"},
        {"org.com", "org.com/backend-type"},
        {"org9.com", "org9.com/backend-type"},
        {"org.com/9", "org.com/9-backend-type"},
        {"org", nullptr},
        {"org/", nullptr},
        {"org/prefix", nullptr},
        {"org.COM", nullptr},
        {"org.com/PREFIX", nullptr},
        {"", nullptr},
        {"a.b/c/d", nullptr},
        {"a..b", nullptr},
        {"a.b/c d", nullptr}}) {
    const auto parsed = AnnotationPrefix::parse(prefix);
    ASSERT_EQ(parsed.has_value(), backend_type != nullptr) << prefix;
    if (parsed) {
      EXPECT_EQ(parsed->key("backend-type"), backend_type);
    }
  }
}

constexpr char kNode[] = R"({"kind":"Node","metadata":{"name":"a","uid":"u","resourceVersion":"7",
  "creationTimestamp":"2026-01-02T03:04:05Z","labels":{"name":"x"},"annotations":{
  "flannel.alpha.coreos.com/kube-subnet-manager":"true",
  "flannel.alpha.coreos.com/public-ip":"192.0.2.1",
  "flannel.alpha.coreos.com/public-ipv6":"2001:db8::1",
  "flannel.alpha.coreos.com/backend-type":"vxlan",
  "flannel.alpha.coreos.com/backend-data":"{\"VNI\":1}",
  "flannel.alpha.coreos.com/backend-v6-data":"null","other/public-ip":"x"}},
  "spec":{"podCIDR":"10.244.1.0/24","podCIDRs":["10.244.1.0/24","fd00:1::/64"],"taints":[{}]},
  "status":{"addresses":[{"type":"Hostname","address":"a"},
  {"address":"192.0.2.1","type":"InternalIP"},{"type":"InternalIP","address":"nonsense"}],
  "conditions":[{"type":"Ready","status":"True"},{"type":"NetworkUnavailable","status":"False"}],
  "images":[{"names":["x"],"sizeBytes":1}]}})";

Node parse(std::string_view json) {
  return Node::parse(json, {}).value();
}

TEST(Node, IsReadWithWhatThePodNetworkNeeds) {
  const Node node = parse(kNode);
  EXPECT_EQ(node.name, "a");
  EXPECT_EQ(node.uid, "u");
  EXPECT_EQ(node.version, "7");
  EXPECT_EQ(node.created, "2026-01-02T03:04:05Z");
  EXPECT_EQ(node.pod_cidrs, (std::vector<std::string>{"10.244.1.0/24", "fd00:1::/64"}));
  EXPECT_EQ(node.internal_ips, std::vector<IpAddress>{IpAddress::parse("192.0.2.1").value()});
  EXPECT_EQ(node.annotations.size(), 6U);
  EXPECT_EQ(node.annotation("public-ip"), "192.0.2.1");
  EXPECT_EQ(node.network_unavailable, "False");
  const auto lease = lease_of_node(node);
  ASSERT_TRUE(lease && *lease);
  EXPECT_EQ((*lease)->node, "a");
  EXPECT_EQ((*lease)->key.to_string(), "10.244.1.0-24&fd00:1::-64");
  EXPECT_EQ((*lease)->attributes.backend_data, "{\"VNI\":1}");
  EXPECT_EQ((*lease)->attributes.backend_v6_data, "");
}

TEST(Node, WhatIsNoNodeIsRefused) {
  for (const char* text : {"", "{", "[]", "<html>", "{}", R"({"metadata":{"name":7}})",
                           R"({"metadata":{"name":"a"}}x)", R"({"metadata":{"name":"a"})"})
    EXPECT_FALSE(Node::parse(text, {})) << text;
  // Wrong types inside are as if they were not there.
  const Node node = parse(R"({"metadata":{"name":"a","annotations":[1]},"spec":{"podCIDRs":"x",
    "podCIDR":{}},"status":{"addresses":{"type":"InternalIP"},"conditions":[7,null]}})");
  EXPECT_EQ(node, Node{.name = "a"});
}

Node with(std::vector<std::string> cidrs, Annotations annotations) {
  annotations.emplace("kube-subnet-manager", "true");
  return {.name = "a", .pod_cidrs = std::move(cidrs), .annotations = std::move(annotations)};
}

TEST(NodeLease, BadAnnotationsAreRefusedInFewWords) {
  const std::string huge(300'000, 'x');
  struct Case {
    Node node;
    const char* because;
  };
  for (const auto& [node, because] : std::vector<Case>{
           {with({}, {{"public-ip", "192.0.2.1"}}), "it has no podCIDR"},
           {with({"a", "b", "c"}, {{"public-ip", "192.0.2.1"}}), "3 podCIDRs"},
           {with({"$(reboot)"}, {{"public-ip", "192.0.2.1"}}), "is no network"},
           {with({"10.0.0.0/24"}, {}), "neither the annotation public-ip"},
           {with({"10.0.0.0/24"}, {{"public-ip", "0.0.0.0"}}), "neither the annotation public-ip"},
           {with({"10.0.0.0/24"}, {{"public-ip", "127.0.0.1"}}), "no address of a node"},
           {with({"10.0.0.0/24"}, {{"public-ip", "2001:db8::1"}}), "is no IPv4 address"},
           {with({"10.0.0.0/24"}, {{"public-ip", "a\nb\x1b[31m" + huge}}), "is no IPv4 address"},
           {with({"10.0.0.0/24"}, {{"public-ip", "192.0.2.1"}, {"backend-data", huge}}),
            "more than 4096 bytes"},
           {with({"10.0.0.0/24"}, {{"public-ip", "192.0.2.1"}, {"backend-type", huge}}),
            "backend-type"}}) {
    const auto lease = lease_of_node(node);
    ASSERT_FALSE(lease) << because;
    EXPECT_NE(lease.error().what.find(because), std::string::npos) << lease.error().what;
    EXPECT_LT(lease.error().what.size(), 300U);
    for (const char c : lease.error().what) EXPECT_GE(static_cast<unsigned char>(c), ' ');
  }
  Node foreign = with({"10.0.0.0/24"}, {{"public-ip", "nonsense"}});
  foreign.annotations["kube-subnet-manager"] = "false";
  EXPECT_EQ(lease_of_node(foreign).value(), std::nullopt);
}

TEST(NodeLease, OfSeveralSubnetsTheOwnIsTheLastAndAPeersTheFirst) {
  const Node node = with({"10.0.1.0/24", "10.0.2.0/24"}, {});
  EXPECT_EQ(subnet_of_node(node, Whose::kOwn)->to_string(), "10.0.2.0-24");
  EXPECT_EQ(subnet_of_node(node, Whose::kPeer)->to_string(), "10.0.1.0-24");
}

LeaseAttributes own(const char* v4, const char* v6 = nullptr) {
  LeaseAttributes attributes{.backend_type = "vxlan"};
  if (v4 != nullptr) {
    attributes.public_ipv4 = IpAddress::parse(v4);
    attributes.backend_data = "{4}";
  }
  if (v6 != nullptr) {
    attributes.public_ipv6 = IpAddress::parse(v6);
    attributes.backend_v6_data = "{6}";
  }
  return attributes;
}

Annotations applied(const Node& node, const LeaseAttributes& attributes, bool respell = false) {
  Annotations all = node.annotations;
  for (const auto& [suffix, text] : annotation_edits(node, attributes, respell)) all[suffix] = text;
  return all;
}

TEST(AnnotationEdits, AreAllOnABareNodeAndNoneOnAFinishedOne) {
  Node node{.name = "a"};
  node.annotations = applied(node, own("192.0.2.1"));
  EXPECT_EQ(node.annotations, (Annotations{{"kube-subnet-manager", "true"},
                                           {"backend-type", "vxlan"},
                                           {"backend-data", "{4}"},
                                           {"public-ip", "192.0.2.1"}}));
  EXPECT_TRUE(annotation_edits(node, own("192.0.2.1"), false).empty());
  // Without data, JSON's null, for the families that there are.
  LeaseAttributes host_gw = own("192.0.2.1", "2001:db8::1");
  host_gw.backend_type = "host-gw";
  host_gw.backend_data = host_gw.backend_v6_data = "";
  EXPECT_EQ(applied({.name = "a"}, host_gw), (Annotations{{"kube-subnet-manager", "true"},
                                                          {"backend-type", "host-gw"},
                                                          {"backend-data", "null"},
                                                          {"backend-v6-data", "null"},
                                                          {"public-ip", "192.0.2.1"},
                                                          {"public-ipv6", "2001:db8::1"}}));
}

TEST(AnnotationEdits, OverwritesGoBeforeTheOwnAddress) {
  Node node{.name = "a", .annotations = {{"node-public-ip", "198.51.100.1"}}};
  EXPECT_EQ(applied(node, own("192.0.2.1")).at("public-ip"), "198.51.100.1");
  node.annotations["public-ip-overwrite"] = "203.0.113.1";
  EXPECT_EQ(applied(node, own("192.0.2.1")).at("public-ip"), "203.0.113.1");
  node.annotations["public-ip-overwrite"] = "`id`";
  EXPECT_EQ(applied(node, own("192.0.2.1")).at("public-ip"), "198.51.100.1");
}

TEST(AnnotationEdits, AChangeOfOneFamilyChangesTheTextOfBoth) {
  Node node{.name = "a"};
  node.annotations = applied(node, own("192.0.2.1", "2001:db8::1"));
  auto moved = annotation_edits(node, own("192.0.2.2", "2001:db8::1"), false);
  EXPECT_EQ(moved, (Annotations{{"public-ip", "192.0.2.2"}, {"backend-v6-data", "{6} "}}));
  for (const auto& [suffix, text] : moved) node.annotations[suffix] = text;
  // The other spelling is as good, and the next change takes it back.
  EXPECT_TRUE(annotation_edits(node, own("192.0.2.2", "2001:db8::1"), false).empty());
  EXPECT_EQ(annotation_edits(node, own("192.0.2.3", "2001:db8::1"), false),
            (Annotations{{"public-ip", "192.0.2.3"}, {"backend-v6-data", "{6}"}}));
  // A new subnet alone: peers do not look at it.
  EXPECT_EQ(annotation_edits(node, own("192.0.2.2", "2001:db8::1"), true),
            (Annotations{{"backend-data", "{4} "}, {"backend-v6-data", "{6}"}}));
}

}  // namespace
}  // namespace weft
