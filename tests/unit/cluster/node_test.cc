#include "cluster/node.h"

#include <gtest/gtest.h>

#include "support/kube_messages.h"

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

using test::kube_fields;
using test::kube_pair;

// A Node out of the messages of its three parts.
std::string node_of(const std::string& metadata, const std::string& spec = "",
                    const std::string& status = "") {
  return kube_fields([&](auto& node) {
    node.add_message(kube::object::kMetadata, metadata);
    node.add_message(kube::node::kSpec, spec);
    node.add_message(kube::node::kStatus, status);
  });
}

std::string whole_node() {
  const std::string metadata = kube_fields([](auto& meta) {
    meta.add_string(kube::object_meta::kName, "a");
    meta.add_string(kube::object_meta::kUid, "u");
    meta.add_string(kube::object_meta::kResourceVersion, "7");
    meta.add_message(kube::object_meta::kCreationTimestamp, kube_fields([](auto& time) {
                       time.add_int64(kube::time::kSeconds, 1'767'323'045);
                     }));
    constexpr std::uint32_t kLabels = 11;
    meta.add_message(kLabels, kube_pair("name", "x"));
    const std::string prefix = "flannel.alpha.coreos.com/";
    for (const auto& [key, value] : Annotations{{prefix + "kube-subnet-manager", "true"},
                                                {prefix + "public-ip", "192.0.2.1"},
                                                {prefix + "public-ipv6", "2001:db8::1"},
                                                {prefix + "backend-type", "vxlan"},
                                                {prefix + "backend-data", "{\"VNI\":1}"},
                                                {prefix + "backend-v6-data", "null"},
                                                {"other/public-ip", "x"}})
      meta.add_message(kube::object_meta::kAnnotations, kube_pair(key, value));
  });
  const std::string spec = kube_fields([](auto& message) {
    message.add_string(kube::node_spec::kPodCidr, "10.244.1.0/24");
    message.add_string(kube::node_spec::kPodCidrs, "10.244.1.0/24");
    message.add_string(kube::node_spec::kPodCidrs, "fd00:1::/64");
  });
  const std::string status = kube_fields([](auto& message) {
    message.add_message(kube::node_status::kConditions, kube_pair("Ready", "True"));
    message.add_message(kube::node_status::kConditions, kube_pair("NetworkUnavailable", "False"));
    for (const auto& [type, address] : {std::pair<const char*, const char*>{"Hostname", "a"},
                                        {"InternalIP", "192.0.2.1"},
                                        {"InternalIP", "nonsense"}})
      message.add_message(kube::node_status::kAddresses, kube_pair(type, address));
  });
  return node_of(metadata, spec, status);
}

Node parse(std::string_view message) {
  return Node::parse(message, {}).value();
}

TEST(Node, IsReadWithWhatThePodNetworkNeeds) {
  const Node node = parse(whole_node());
  EXPECT_EQ(node.name, "a");
  EXPECT_EQ(node.uid, "u");
  EXPECT_EQ(node.version, "7");
  EXPECT_EQ(node.created, UnixSeconds(std::chrono::seconds(1'767'323'045)));
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

TEST(Node, EveryHalfOfOneIsRefusedOrReadAsFarAsItIs) {
  const std::string whole = whole_node();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto half = Node::parse(std::string_view(whole).substr(0, size), {});
    if (half) {
      EXPECT_EQ(half->name, "a") << size;
    }
  }
}

TEST(Node, WhatIsNoNodeIsRefused) {
  const auto named = [](const std::string& name) {
    return kube_fields([&](auto& meta) { meta.add_string(kube::object_meta::kName, name); });
  };
  const std::string number =
      kube_fields([](auto& meta) { meta.add_int32(kube::object_meta::kName, 7); });
  for (const std::string& message :
       {std::string(), std::string("{}"), std::string("<html>"), node_of(""), node_of("<html>"),
        node_of(number), node_of(named("\xff\xfe")), node_of(named("a")) + "x",
        node_of(named("a"), "<html>"), node_of(named("a"), "", "\x22\x05")})
    EXPECT_FALSE(Node::parse(message, {})) << testing::PrintToString(message);
  // Wrong types inside, and texts that are none, are as if they were not there.
  const std::string metadata =
      named("a") + kube_fields([](auto& meta) {
        meta.add_int32(kube::object_meta::kAnnotations, 1);
        meta.add_int32(kube::object_meta::kCreationTimestamp, 1);
        meta.add_message(kube::object_meta::kAnnotations,
                         kube_pair("flannel.alpha.coreos.com/public-ip", "\xff"));
      });
  const std::string spec = kube_fields([](auto& message) {
    message.add_int32(kube::node_spec::kPodCidr, 1);
    message.add_int32(kube::node_spec::kPodCidrs, 1);
  });
  const std::string status = kube_fields([](auto& message) {
    message.add_int32(kube::node_status::kAddresses, 1);
    message.add_string(kube::node_status::kConditions, "");
  });
  EXPECT_EQ(parse(node_of(metadata, spec, status)), Node{.name = "a"});
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
