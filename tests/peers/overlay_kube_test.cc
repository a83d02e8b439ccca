// weftd in a Kubernetes cluster: nodes on one segment, each a network namespace with the real
// program, and on the segment a real API server.
#include <atomic>
#include <map>

#include <gtest/gtest.h>

#include "kube_server.h"
#include "support/datagram.h"
#include "support/http_server.h"
#include "support/kube_messages.h"
#include "support/segment.h"
#include "support/server_process.h"

namespace weft::overlay {
namespace {

using test::eventually;
using test::must;
using test::Node;

constexpr char kServerAddress[] = "192.0.2.100";

// A node with its weftd.
struct Member {
  std::string name;
  std::unique_ptr<Node> node;
  test::TempDir files = {};
  test::ServerProcess weftd = {};

  std::string log() const { return read_file(files.path() + "/log").value_or(""); }
  std::string subnet_env() const { return read_file(node->subnet_file()).value_or(""); }
};

class OverlayInKubernetes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    segment_ = new test::Segment;
    home_ = segment_->add_node({std::string(kServerAddress) + "/24"}).release();
    visit_ = new kernel::NetnsVisit(must(kernel::NetnsVisit::enter(home_->netns())));
    server_ = new test::KubeServer(kServerAddress);
  }
  static void TearDownTestSuite() {
    delete server_;
    delete visit_;
    delete home_;
    delete segment_;
  }
  void SetUp() override {
    must(write_file_atomically(net_conf(),
                               R"({"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}})", 0644));
  }
  void TearDown() override {
    for (auto& [name, member] : members_) {
      member.weftd.end(SIGTERM);
      if (HasFailure()) std::fprintf(stderr, "--- %s\n%s", name.c_str(), member.log().c_str());
    }
    const Json nodes = server_->call("GET", "/api/v1/nodes");
    for (const auto& node : nodes["items"]) server_->delete_node(node["metadata"]["name"]);
  }

  std::string net_conf() const { return files_.path() + "/net-conf.json"; }

  /// The IPv6 address of a machine with that IPv4 one.
  static std::string ipv6_beside(const std::string& address) {
    return "2001:db8::" + address.substr(address.rfind('.') + 1);
  }
  /// A machine with this address and its weftd; the Node is somebody else's to make.
  Member& start(const std::string& name, const std::string& address,
                const std::vector<std::string>& more_flags = {}) {
    Member& member = members_[name];
    member.name = name;
    member.node = segment_->add_node({address + "/24", ipv6_beside(address) + "/64"});
    start_weftd(member, more_flags);
    return member;
  }
  void start_weftd(Member& member, const std::vector<std::string>& more_flags = {}) {
    std::vector<std::string> argv{WEFTD,
                                  "flanneld",
                                  "--kube-subnet-mgr",
                                  "--ip-masq",
                                  "--kubeconfig-file=" + server_->kubeconfig(),
                                  "--net-config-path=" + net_conf(),
                                  "--subnet-file=" + member.node->subnet_file()};
    argv.insert(argv.end(), more_flags.begin(), more_flags.end());
    member.node->in([&] {
      ASSERT_TRUE(
          member.weftd.start(argv, member.files.path() + "/log", {"NODE_NAME=" + member.name}));
    });
  }
  /// Node and machine in one.
  Member& join(const std::string& name, int number,
               const std::vector<std::string>& more_flags = {}) {
    const std::string address = "192.0.2." + std::to_string(number);
    server_->create_node(name, "10.244." + std::to_string(number) + ".0/24", Json::object(),
                         address);
    return start(name, address, more_flags);
  }

  /// Node and machine "alpha", with its InternalIP 192.0.2.1 on eth0 and 198.51.100.1 on eth1.
  Member& join_with_two_interfaces(const Json& annotations) {
    server_->create_node("alpha", "10.244.1.0/24", annotations, "192.0.2.1");
    Member& alpha = members_["alpha"];
    alpha.name = "alpha";
    alpha.node = segment_->add_node({"192.0.2.1/24"});
    alpha.node->sh("ip link add name eth1 type veth peer name eth1-far");
    alpha.node->sh("ip addr add 198.51.100.1/24 dev eth1");
    alpha.node->sh("ip link set eth1 up");
    start_weftd(alpha);
    return alpha;
  }

  static bool has_peers(Member& member, std::size_t count) {
    return eventually(
        [&] { return !member.subnet_env().empty() && member.node->peers() == count; });
  }
  static std::string condition(const std::string& name) {
    const Json status = server_->node(name).value("status", Json::object());
    for (const auto& entry : status.value("conditions", Json::array()))
      if (entry["type"] == "NetworkUnavailable") return entry["status"];
    return "";
  }
  static bool publishes(const std::string& name, const std::string& suffix,
                        const std::string& value) {
    return eventually([&] { return server_->annotation(name, suffix) == value; });
  }
  static bool says(Member& member, const std::string& words) {
    return eventually([&] { return member.node->status().find(words) != std::string::npos; });
  }

  static test::Segment* segment_;
  static Node* home_;
  static kernel::NetnsVisit* visit_;
  static test::KubeServer* server_;
  test::TempDir files_;
  std::map<std::string, Member> members_;
};
test::Segment* OverlayInKubernetes::segment_ = nullptr;
Node* OverlayInKubernetes::home_ = nullptr;
kernel::NetnsVisit* OverlayInKubernetes::visit_ = nullptr;
test::KubeServer* OverlayInKubernetes::server_ = nullptr;

TEST_F(OverlayInKubernetes, NodesMeetAndPart) {
  Member& alpha = join("alpha", 1);
  Member& beta = join("beta", 2);
  Member& gamma = join("gamma", 3);
  for (Member* member : {&alpha, &beta, &gamma}) ASSERT_TRUE(has_peers(*member, 2));
  const std::string mac = alpha.node->link("flannel.1").mac.to_string();
  // Nothing but these: as unordered objects.
  EXPECT_EQ(nlohmann::json(server_->node("alpha")["metadata"]["annotations"]),
            nlohmann::json(test::vxlan_annotations("192.0.2.1", mac)));
  EXPECT_EQ(alpha.subnet_env(),
            "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\n"
            "FLANNEL_IPMASQ=true\n");
  const auto state = alpha.node->overlay_state();
  EXPECT_EQ(state.tables.fdb.size(), 2U);
  EXPECT_EQ(state.tables.neighbours.size(), 2U);
  EXPECT_NE(alpha.log().find("it has the node's InternalIP 192.0.2.1"), std::string::npos);
  EXPECT_TRUE(eventually([] { return condition("alpha") == "False"; }));
  server_->delete_node("beta");
  EXPECT_TRUE(has_peers(alpha, 1));
  EXPECT_TRUE(has_peers(gamma, 1));
  // It goes after the route.
  EXPECT_TRUE(eventually([&] { return alpha.node->overlay_state().tables.fdb.size() == 1; }));
}

TEST_F(OverlayInKubernetes, APodCidrThatComesLateIsWaitedForWithAnEvent) {
  const std::string rbac = "/apis/rbac.authorization.k8s.io/v1/";
  server_->call("POST", rbac + "clusterroles",
                parse_json(R"({"metadata":{"name":"events"},"rules":[
                  {"apiGroups":[""],"resources":["events"],"verbs":["create"]}]})")
                    .value());
  server_->call("POST", rbac + "clusterrolebindings",
                parse_json(R"({"metadata":{"name":"events"},"roleRef":{
                  "apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"events"},
                  "subjects":[{"kind":"ServiceAccount","name":"flannel",
                  "namespace":"kube-flannel"}]})")
                    .value());
  server_->create_node("alpha", "");
  Member& alpha = start("alpha", "192.0.2.1", {"--iface=eth0"});
  EXPECT_TRUE(says(alpha, "it has no podCIDR"));
  EXPECT_TRUE(eventually([] {
    const Json events = server_->call("GET", "/api/v1/namespaces/default/events");
    return to_text(events).find("it has no podCIDR; let kube-controller-manager") !=
           std::string::npos;
  }));
  EXPECT_EQ(condition("alpha"), "");
  server_->call("PATCH", "/api/v1/nodes/alpha",
                {{"spec", {{"podCIDR", "10.244.1.0/24"}, {"podCIDRs", {"10.244.1.0/24"}}}}},
                "application/strategic-merge-patch+json");
  EXPECT_TRUE(has_peers(alpha, 0));
  EXPECT_TRUE(eventually([] { return condition("alpha") == "False"; }));
}

TEST_F(OverlayInKubernetes, APodCidrOutsideOfTheNetworkIsWaitedFor) {
  server_->create_node("alpha", "10.99.1.0/24");
  Member& alpha = start("alpha", "192.0.2.1", {"--iface=eth0"});
  EXPECT_TRUE(says(alpha, "10.99.1.0/24 lies outside of the pod network 10.244.0.0/16"));
  server_->delete_node("alpha");
  EXPECT_TRUE(says(alpha, "there is no Node alpha in the cluster"));
  server_->create_node("alpha", "10.244.1.0/24");
  EXPECT_TRUE(has_peers(alpha, 0));
}

TEST_F(OverlayInKubernetes, ANodeMadeAnewIsPublishedAgain) {
  Member& alpha = join("alpha", 1);
  server_->create_peer(7);
  ASSERT_TRUE(has_peers(alpha, 1));
  ASSERT_TRUE(eventually([] { return condition("alpha") == "False"; }));
  const auto before = alpha.node->overlay_state();
  const std::string data = server_->annotation("alpha", "backend-data");
  server_->delete_node("alpha");
  server_->create_node("alpha", "10.244.1.0/24", Json::object(), "192.0.2.1");
  EXPECT_TRUE(publishes("alpha", "public-ip", "192.0.2.1"));
  EXPECT_EQ(server_->annotation("alpha", "backend-data"), data);
  EXPECT_TRUE(eventually([] { return condition("alpha") == "False"; }));
  EXPECT_EQ(alpha.node->overlay_state(), before);
  // With another subnet, its own goes with it.
  server_->delete_node("alpha");
  server_->create_node("alpha", "10.244.9.0/24", Json::object(), "192.0.2.1");
  EXPECT_TRUE(
      eventually([&] { return alpha.subnet_env().find("10.244.9.1/24") != std::string::npos; }));
  EXPECT_TRUE(publishes("alpha", "public-ip", "192.0.2.1"));
}

TEST_F(OverlayInKubernetes, AnnotationsComeBackAndOverwritesCount) {
  Member& alpha = join("alpha", 1);
  ASSERT_TRUE(has_peers(alpha, 0));
  ASSERT_TRUE(publishes("alpha", "public-ip", "192.0.2.1"));
  server_->annotate("alpha", {{test::flannel_key("public-ip"), nullptr},
                              {test::flannel_key("backend-data"), "null"},
                              {test::flannel_key("kube-subnet-manager"), nullptr}});
  EXPECT_TRUE(publishes("alpha", "public-ip", "192.0.2.1"));
  EXPECT_TRUE(publishes("alpha", "kube-subnet-manager", "true"));
  EXPECT_TRUE(eventually([] {
    return server_->annotation("alpha", "backend-data").find("VtepMAC") != std::string::npos;
  }));
  server_->annotate("alpha", {{test::flannel_key("public-ip-overwrite"), "198.51.100.7"}});
  EXPECT_TRUE(publishes("alpha", "public-ip", "198.51.100.7"));
  server_->annotate("alpha", {{test::flannel_key("public-ip-overwrite"), "no address"}});
  EXPECT_TRUE(publishes("alpha", "public-ip", "192.0.2.1"));
}

TEST_F(OverlayInKubernetes, ANewAddressIsPublished) {
  Member& alpha = join("alpha", 1);
  ASSERT_TRUE(has_peers(alpha, 0));
  ASSERT_TRUE(publishes("alpha", "public-ip", "192.0.2.1"));
  alpha.node->sh("ip addr del 192.0.2.1/24 dev eth0");
  alpha.node->sh("ip addr add 192.0.2.55/24 dev eth0");
  EXPECT_TRUE(publishes("alpha", "public-ip", "192.0.2.55"));
}

TEST_F(OverlayInKubernetes, TheAnnotationNodePublicIpChoosesTheInterface) {
  Member& alpha = join_with_two_interfaces({{test::flannel_key("node-public-ip"), "198.51.100.1"}});
  ASSERT_TRUE(has_peers(alpha, 0));
  EXPECT_TRUE(publishes("alpha", "public-ip", "198.51.100.1"));
  EXPECT_NE(alpha.log().find("uplink: IPv4 198.51.100.1 on eth1"), std::string::npos);
}

TEST_F(OverlayInKubernetes, TheUplinkFollowsWhatTheNodeSays) {
  Member& alpha = join_with_two_interfaces(Json::object());
  ASSERT_TRUE(has_peers(alpha, 0));
  ASSERT_TRUE(publishes("alpha", "public-ip", "192.0.2.1"));
  const auto tunnel_is_on = [&](const std::string& device) {
    return eventually([&] {
      return alpha.node->sh("ip -d link show type vxlan").find("dev " + device + " ") !=
             std::string::npos;
    });
  };
  server_->annotate("alpha", {{test::flannel_key("node-public-ip"), "198.51.100.1"}});
  EXPECT_TRUE(publishes("alpha", "public-ip", "198.51.100.1"));
  EXPECT_TRUE(tunnel_is_on("eth1"));
  // An address of nobody's is a NAT's in front of the node; the Node's own address chooses again.
  server_->annotate("alpha", {{test::flannel_key("node-public-ip"), "203.0.113.9"}});
  EXPECT_TRUE(publishes("alpha", "public-ip", "203.0.113.9"));
  EXPECT_TRUE(tunnel_is_on("eth0"));
}

TEST_F(OverlayInKubernetes, AnOutageChangesNothingAndARestartKeepsTheMac) {
  Member& alpha = join("alpha", 1);
  server_->create_peer(7);
  ASSERT_TRUE(has_peers(alpha, 1));
  ASSERT_TRUE(publishes("alpha", "public-ip", "192.0.2.1"));
  const auto before = alpha.node->overlay_state();
  server_->kill();
  EXPECT_TRUE(says(alpha, "out of date"));
  alpha.node->sh("ip route del 10.244.7.0/24");
  EXPECT_TRUE(eventually([&] { return alpha.node->overlay_state() == before; }));
  alpha.weftd.end(SIGTERM);
  alpha.node->sh("ip link del flannel.1");
  start_weftd(alpha);
  EXPECT_TRUE(says(alpha, "store-unreachable"));
  server_->start();
  server_->create_peer(8);
  EXPECT_TRUE(has_peers(alpha, 2));
  EXPECT_EQ(alpha.node->link("flannel.1").mac, before.vteps.at(0).mac);
}

// Whoever may write to a Node of its own must not be able to trouble another.
TEST_F(OverlayInKubernetes, HostileAnnotationsAreNamedAndChangeNothing) {
  server_->create_peer(7);
  Member& alpha = join("alpha", 1);
  ASSERT_TRUE(has_peers(alpha, 1));
  ASSERT_TRUE(publishes("alpha", "public-ip", "192.0.2.1"));
  const auto before = alpha.node->overlay_state();
  const auto good = test::vxlan_annotations("192.0.2.20", "02:00:00:00:00:20");
  const auto hostile = [&](const std::string& name, const std::string& pod_cidr,
                           const std::string& suffix, const std::string& value) {
    Json annotations = good;
    annotations[test::flannel_key(suffix)] = value;
    server_->create_node(name, pod_cidr, annotations);
  };
  hostile("shell", "10.244.20.0/24", "backend-data", "$(reboot); `reboot`");
  hostile("huge", "10.244.21.0/24", "backend-data",
          R"({"VNI":1,"VtepMAC":")" + std::string(200'000, '[') + "\"}");
  hostile("deep", "10.244.22.0/24", "backend-data", std::string(200'000, '['));
  hostile("types", "10.244.23.0/24", "backend-data", R"({"VNI":{},"VtepMAC":[1]})");
  hostile("forger", "10.244.24.0/24", "public-ip", "1\n2026-01-01 [error] forged");
  hostile("loop", "10.244.25.0/24", "public-ip", "127.0.0.1");
  hostile("many", "10.244.26.0/24", "public-ip", "255.255.255.255");
  hostile("thief", "10.244.1.0/24", "public-ip", "192.0.2.20");  // of this node's own subnet
  hostile("wide", "10.244.0.0/16", "public-ip", "192.0.2.20");   // of everybody's
  hostile("twin", "10.244.27.0/24", "backend-data",              // of the peer's device
          R"({"VNI":1,"VtepMAC":"02:00:00:00:00:07"})");
  server_->create_peer(8);
  ASSERT_TRUE(has_peers(alpha, 2));
  EXPECT_TRUE(says(alpha, "more)"));
  EXPECT_TRUE(says(alpha, "\"ready\""));
  for (const char* name :
       {"shell", "huge", "deep", "types", "forger", "loop", "many", "thief", "wide", "twin"})
    EXPECT_TRUE(eventually([&] {
      return alpha.log().find("node " + std::string(name)) != std::string::npos;
    })) << name;
  EXPECT_EQ(alpha.log().find("\n2026-01-01 [error] forged"), std::string::npos);
  EXPECT_LT(alpha.log().size(), 20'000U);
  server_->delete_node("node-8");
  EXPECT_TRUE(eventually([&] { return alpha.node->overlay_state() == before; }));
}

// A server that lists the Node, and then takes every write without an answer.
TEST_F(OverlayInKubernetes, AnApiThatTakesAPatchAndSaysNothingDelaysNoStop) {
  const std::string spec = test::kube_fields(
      [](auto& message) { message.add_string(kube::node_spec::kPodCidr, "10.244.1.0/24"); });
  const std::string node =
      test::kube_object({.name = "alpha", .version = "5"}) +
      test::kube_fields([&](auto& message) { message.add_message(kube::node::kSpec, spec); });
  std::atomic<bool> patched{false};
  const auto answer = [&](const auto& request, const auto& peer) {
    if (request.head.rfind("GET", 0) == 0 && request.head.find("watch=true") == std::string::npos)
      return (void)peer.send(test::http_answer(200, test::kube_list({node}, "5"), kKubeProtobuf));
    if (request.head.rfind("PATCH", 0) == 0) patched = true;
    peer.stall();
  };
  Member& alpha = members_["alpha"];
  alpha.name = "alpha";
  alpha.node = segment_->add_node({"192.0.2.1/24"});
  const auto server = alpha.node->in([&] { return std::make_unique<test::HttpServer>(answer); });
  start_weftd(alpha, {"--kube-api-url=" + server->endpoint(), "--iface=eth0"});
  ASSERT_TRUE(eventually([&] { return patched.load(); }));
  const auto begun = std::chrono::steady_clock::now();
  alpha.weftd.end(SIGTERM);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(3));
}

// The gateway of a node's pods, as the bridge plugin will make it.
IpAddress add_gateway(Node& node, const std::string& address) {
  if (!must(node.rtnetlink().link("cni0")))
    must(node.rtnetlink().create({.name = "cni0", .kind = "bridge", .up = true}));
  const auto gateway = InterfaceAddress::parse(address).value();
  node.sh("ip addr add " + address + " dev cni0" + (gateway.address.is_v4() ? "" : " nodad"));
  return gateway.address;
}

bool carry(Member& one, const IpAddress& here, Member& other, const IpAddress& there) {
  return eventually([&] { return test::datagram_arrives(*one.node, here, *other.node, there); }) &&
         eventually([&] { return test::datagram_arrives(*other.node, there, *one.node, here); });
}

class BackendInKubernetes : public OverlayInKubernetes,
                            public testing::WithParamInterface<const char*> {
 protected:
  static bool is_vxlan() { return std::string(GetParam()) == "vxlan"; }
  static std::string mtu() { return is_vxlan() ? "1430" : "1500"; }
  void configure(const std::string& members) {
    must(write_file_atomically(
        net_conf(), "{" + members + R"(,"Backend":{"Type":")" + std::string(GetParam()) + R"("}})",
        0644));
  }
};

TEST_P(BackendInKubernetes, DualStackNodesCarryBothFamilies) {
  configure(R"("Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:244::/48")");
  server_->create_node("alpha", "10.244.1.0/24,fd00:244:0:1::/64", Json::object(), "192.0.2.1");
  server_->create_node("beta", "10.244.2.0/24,fd00:244:0:2::/64", Json::object(), "192.0.2.2");
  Member& alpha = start("alpha", "192.0.2.1");
  Member& beta = start("beta", "192.0.2.2");
  for (Member* member : {&alpha, &beta}) ASSERT_TRUE(has_peers(*member, 2));
  EXPECT_EQ(alpha.subnet_env(),
            "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\n"
            "FLANNEL_IPV6_NETWORK=fd00:244::/48\nFLANNEL_IPV6_SUBNET=fd00:244:0:1::1/64\n"
            "FLANNEL_MTU=" +
                mtu() + "\nFLANNEL_IPMASQ=true\n");
  EXPECT_TRUE(publishes("alpha", "public-ipv6", "2001:db8::1"));
  EXPECT_EQ(server_->annotation("alpha", "backend-v6-data"),
            is_vxlan() ? R"({"VNI":1,"VtepMAC":")" +
                             alpha.node->link("flannel-v6.1").mac.to_string() + "\"}"
                       : "null");
  EXPECT_TRUE(carry(alpha, add_gateway(*alpha.node, "10.244.1.1/24"), beta,
                    add_gateway(*beta.node, "10.244.2.1/24")));
  EXPECT_TRUE(carry(alpha, add_gateway(*alpha.node, "fd00:244:0:1::1/64"), beta,
                    add_gateway(*beta.node, "fd00:244:0:2::1/64")));
}

TEST_P(BackendInKubernetes, NodesWithIpv6AloneCarryIt) {
  configure(R"("EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fd00:244::/48")");
  server_->create_node("alpha", "fd00:244:0:1::/64", Json::object(), "2001:db8::1");
  server_->create_node("beta", "fd00:244:0:2::/64", Json::object(), "2001:db8::2");
  Member& alpha = start("alpha", "192.0.2.1");
  Member& beta = start("beta", "192.0.2.2");
  ASSERT_TRUE(has_peers(alpha, 1));
  ASSERT_TRUE(has_peers(beta, 1));
  EXPECT_EQ(alpha.subnet_env(),
            "FLANNEL_IPV6_NETWORK=fd00:244::/48\nFLANNEL_IPV6_SUBNET=fd00:244:0:1::1/64\n"
            "FLANNEL_MTU=" +
                mtu() + "\nFLANNEL_IPMASQ=true\n");
  EXPECT_TRUE(publishes("alpha", "public-ipv6", "2001:db8::1"));
  // flannel's host-gw writes 0.0.0.0, which no node without IPv4 reads.
  EXPECT_EQ(server_->annotation("alpha", "public-ip"), "");
  EXPECT_TRUE(carry(alpha, add_gateway(*alpha.node, "fd00:244:0:1::1/64"), beta,
                    add_gateway(*beta.node, "fd00:244:0:2::1/64")));
}

INSTANTIATE_TEST_SUITE_P(By, BackendInKubernetes, testing::Values("vxlan", "host-gw"),
                         [](const auto& of) {
                           return std::string(of.param) == "vxlan" ? "Vxlan" : "HostGw";
                         });

TEST_F(OverlayInKubernetes, TheConditionIsSetAgainAndOnlyIfAsked) {
  Member& alpha = join("alpha", 1);
  ASSERT_TRUE(has_peers(alpha, 0));
  ASSERT_TRUE(eventually([] { return condition("alpha") == "False"; }));
  server_->call("PATCH", "/api/v1/nodes/alpha/status",
                parse_json(R"({"status":{"conditions":[
                  {"type":"NetworkUnavailable","status":"True","reason":"NoRouteCreated"}]}})")
                    .value(),
                "application/strategic-merge-patch+json");
  EXPECT_TRUE(eventually([] { return condition("alpha") == "False"; }, std::chrono::seconds(30)));
  Member& beta = join("beta", 2, {"--set-node-network-unavailable=false"});
  ASSERT_TRUE(has_peers(beta, 1));
  ASSERT_TRUE(has_peers(alpha, 1));
  EXPECT_EQ(condition("beta"), "");
}

}  // namespace
}  // namespace weft::overlay
