// The Kubernetes store against a real kube-apiserver.
#include "store/kube_store.h"

#include <gtest/gtest.h>

#include "kube_server.h"
#include "support/eventually.h"
#include "support/leases.h"
#include "support/must.h"

namespace weft {
namespace {

using test::eventually;
using test::must;

class KubeStoreTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new test::KubeServer; }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override { server_->create_node("own", "10.244.1.0/24"); }
  void TearDown() override {
    watch_.reset();
    store_.reset();
    const Json nodes = server_->call("GET", "/api/v1/nodes");
    for (const auto& node : nodes["items"]) server_->delete_node(node["metadata"]["name"]);
  }

  KubeStoreOptions options() const {
    return {.reader = std::make_shared<KubeReader>(server_->access()),
            .node_name = "own",
            .nodes = {.path = "/api/v1/nodes"}};
  }
  void join(KubeStoreOptions options) {
    store_ = std::make_unique<KubeStore>(std::move(options));
    watch_ = store_->watch([] {});
    must(store_->join({}));
  }
  void join() { join(options()); }
  std::size_t peers() const {
    const auto view = watch_->view();
    return view ? view->leases.size() : 9999;
  }
  bool has(std::size_t count) const {
    return eventually([&] { return peers() == count && watch_->health(); });
  }

  static test::KubeServer* server_;
  std::unique_ptr<KubeStore> store_;
  std::unique_ptr<LeaseWatch> watch_;
};
test::KubeServer* KubeStoreTest::server_ = nullptr;

TEST_F(KubeStoreTest, ListsInPagesAndFollows) {
  for (int i = 2; i <= 8; ++i) server_->create_peer(i);
  KubeStoreOptions paged = options();
  paged.nodes.page = 3;
  join(paged);
  ASSERT_TRUE(has(7));
  const Lease peer = watch_->view()->leases.at(test::key("10.244.2.0-24"));
  EXPECT_EQ(peer.node, "node-2");
  EXPECT_EQ(peer.attributes.public_ipv4, IpAddress::parse("192.0.2.2"));
  EXPECT_EQ(peer.attributes.backend_type, "vxlan");
  server_->create_peer(9);
  EXPECT_TRUE(has(8));
  server_->delete_node("node-3");
  EXPECT_TRUE(has(7));
  server_->annotate("node-2", {{test::flannel_key("public-ip"), "192.0.2.77"}});
  EXPECT_TRUE(eventually([&] {
    return watch_->view()->leases.at(test::key("10.244.2.0-24")).attributes.public_ipv4 ==
           IpAddress::parse("192.0.2.77");
  }));
}

TEST_F(KubeStoreTest, AContinuationThatIsForgottenIsGone) {
  for (int i = 2; i <= 6; ++i) server_->create_peer(i);
  const KubeClient client(server_->access());
  const Json page = must(parse_json(must(client.call({.path = "/api/v1/nodes?limit=2"}))));
  const std::string next = page["metadata"]["continue"];
  server_->create_peer(7);
  // What the server remembers of its own goes with it.
  server_->kill();
  server_->etcd().compact();
  server_->start();
  const auto gone = client.call({.path = "/api/v1/nodes?limit=2&continue=" + next});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().number, ESTALE) << gone.error().text();
}

TEST_F(KubeStoreTest, AHostileNodeIsNamedAndTheOthersStay) {
  server_->create_peer(2);
  auto annotations = test::vxlan_annotations("192.0.2.3", "02:00:00:00:00:03");
  annotations[test::flannel_key("backend-data")] = "{\"a\":\"" + std::string(200'000, 'x') + "\"}";
  server_->create_node("huge", "10.244.3.0/24", annotations);
  annotations = test::vxlan_annotations("$(reboot)\n2026 [error] forged", "02:00:00:00:00:04");
  server_->create_node("shell", "10.244.4.0/24", annotations);
  annotations = test::vxlan_annotations("127.0.0.1", "02:00:00:00:00:05");
  server_->create_node("loop", "10.244.5.0/24", annotations);
  server_->create_node("bare", "", test::vxlan_annotations("192.0.2.6", "02:00:00:00:00:06"));
  server_->create_node("other", "10.244.7.0/24");
  join();
  ASSERT_TRUE(has(1));
  std::string named;
  for (const auto& broken : watch_->view()->broken) {
    named += broken.key + " ";
    EXPECT_LT(broken.reason.size(), 300U);
    EXPECT_EQ(broken.reason.find('\n'), std::string::npos) << broken.reason;
  }
  EXPECT_EQ(named, "node bare node huge node loop node shell ");
}

TEST_F(KubeStoreTest, OfTwoNodesWithOneSubnetTheOlderOneHasIt) {
  server_->create_node("b-older", "10.244.2.0/24",
                       test::vxlan_annotations("192.0.2.2", "02:00:00:00:00:02"));
  // Creation times have whole seconds.
  const std::string created = server_->node("b-older")["metadata"]["creationTimestamp"];
  ASSERT_TRUE(eventually([&] {
    server_->create_node("a-younger", "10.244.2.0/24",
                         test::vxlan_annotations("192.0.2.3", "02:00:00:00:00:03"));
    const bool younger = server_->node("a-younger")["metadata"]["creationTimestamp"] != created;
    if (!younger) server_->delete_node("a-younger");
    return younger;
  }));
  join();
  ASSERT_TRUE(has(1));
  EXPECT_EQ(watch_->view()->leases.begin()->second.node, "b-older");
  ASSERT_EQ(watch_->view()->broken.size(), 1U);
  EXPECT_EQ(watch_->view()->broken[0].key, "node a-younger");
  EXPECT_NE(watch_->view()->broken[0].reason.find("b-older"), std::string::npos);
}

TEST_F(KubeStoreTest, ARestartOfTheServerChangesNothing) {
  server_->create_peer(2);
  join();
  ASSERT_TRUE(has(1));
  server_->kill();
  EXPECT_TRUE(eventually([&] { return !watch_->health(); }));
  EXPECT_EQ(peers(), 1U);
  server_->start();
  // Before anything changes.
  EXPECT_TRUE(eventually([&] { return watch_->health().has_value(); }));
  server_->create_peer(3);
  EXPECT_TRUE(has(2));
}

TEST_F(KubeStoreTest, WhatIsForgottenMeanwhileIsListedAnew) {
  server_->create_peer(2);
  server_->create_peer(3);
  join();
  ASSERT_TRUE(has(2));
  server_->kill();
  server_->start_elsewhere();
  server_->delete_node("node-2");
  server_->create_peer(4);
  server_->create_peer(5);
  server_->kill();
  server_->etcd().compact();
  server_->start();
  EXPECT_TRUE(has(3));
  EXPECT_FALSE(test::sees(*watch_, "10.244.2.0-24"));
}

TEST_F(KubeStoreTest, ATokenThatIsVoidIsReadAgain) {
  server_->create_peer(2);
  KubeStoreOptions often = options();
  often.nodes.watch_time = std::chrono::seconds(1);
  join(often);
  ASSERT_TRUE(has(1));
  server_->revoke_tokens();
  ASSERT_TRUE(eventually([&] { return !watch_->health(); }, std::chrono::seconds(40)));
  EXPECT_NE(watch_->health().error().text().find("credentials"), std::string::npos)
      << watch_->health().error().text();
  EXPECT_EQ(peers(), 1U);
  server_->renew_token();
  server_->create_peer(3);
  EXPECT_TRUE(has(2));
}

TEST_F(KubeStoreTest, TheNodeOfAPodIsFound) {
  server_->call(
      "POST", "/api/v1/namespaces/kube-flannel/pods",
      {{"metadata", {{"name", "flannel-x"}}},
       {"spec",
        {{"nodeName", "own"}, {"containers", Json::array({{{"name", "a"}, {"image", "a"}}})}}}});
  KubeStoreOptions by_pod = options();
  by_pod.node_name.clear();
  by_pod.pod_namespace = "kube-flannel";
  by_pod.pod_name = "flannel-x";
  join(by_pod);
  EXPECT_EQ(store_->node_name(), "own");
  ASSERT_TRUE(has(0));
  ASSERT_NE(store_->own_node(), nullptr);
  EXPECT_EQ(store_->own_node()->pod_cidrs, std::vector<std::string>{"10.244.1.0/24"});
}

TEST_F(KubeStoreTest, WritesAnnotationsAndTheConditionWithFlannelsRights) {
  join();
  ASSERT_TRUE(has(0));
  must(store_->annotate({{"public-ip", "192.0.2.1"}, {"backend-data", "null"}}, {}));
  EXPECT_EQ(server_->annotation("own", "public-ip"), "192.0.2.1");
  EXPECT_EQ(server_->annotation("own", "backend-data"), "null");
  must(store_->declare_network_available(UnixSeconds(std::chrono::seconds(1'800'000'000)), {}));
  const Json conditions = server_->node("own")["status"]["conditions"];
  ASSERT_EQ(conditions.size(), 1U);
  EXPECT_EQ(conditions[0]["type"], "NetworkUnavailable");
  EXPECT_EQ(conditions[0]["status"], "False");
  EXPECT_EQ(conditions[0]["reason"], "FlannelIsUp");
  EXPECT_EQ(conditions[0]["lastTransitionTime"], "2027-01-15T08:00:00Z");
  // flannel's role does not allow events, and the Error says so.
  const Status told = store_->warn("X", "y", UnixSeconds(), {});
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().number, EPERM) << told.error().text();
}

}  // namespace
}  // namespace weft
