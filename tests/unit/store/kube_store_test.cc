#include "store/kube_store.h"

#include <atomic>
#include <cerrno>
#include <thread>

#include <gtest/gtest.h>

#include "support/http_server.h"
#include "support/leases.h"

namespace weft {
namespace {

using Nodes = std::map<std::string, NodeEntry>;

void add(Nodes& nodes, const std::string& name, const std::string& subnet, int created) {
  nodes[name] = {.lease = Lease{.node = name,
                                .since = UnixSeconds(std::chrono::seconds(created)),
                                .key = test::key(subnet),
                                .attributes = test::attributes("192.0.2.1")}};
}

std::string peers(const LeaseView& view) {
  std::string text;
  for (const auto& [key, lease] : view.leases) text += lease.node + " ";
  return text;
}

TEST(ViewOfNodes, OfTwoNodesWhosePodCidrsOverlapTheOlderHasItAndBothAreNamed) {
  constexpr int kEarly = 1'767'225'600;
  constexpr int kLate = kEarly + 86'400;
  struct Case {
    const char* older;
    const char* younger;
  };
  for (const auto& [older, younger] :
       {Case{"10.3.2.0-24", "10.3.2.0-24"}, Case{"10.3.2.0-24", "10.3.2.128-25"},
        Case{"10.3.2.128-25", "10.3.2.0-24"}, Case{"10.3.2.0-24", "10.3.0.0-16"},
        Case{"10.3.2.0-24&fd00:3:2::-64", "10.3.9.0-24&fd00:3::-32"},
        Case{"0.0.0.0-0&fd00:3:2::-64", "10.3.9.0-24&fd00:3:2::-64"}}) {
    Nodes nodes;
    add(nodes, "z-older", older, kEarly);
    add(nodes, "a-younger", younger, kLate);
    add(nodes, "m-other", "10.4.1.0-24", kLate);
    const LeaseView view = view_of_nodes(nodes);
    EXPECT_EQ(view.leases.size(), 2U) << younger;
    EXPECT_EQ(peers(view).find("a-younger"), std::string::npos) << peers(view);
    ASSERT_EQ(view.broken.size(), 1U) << younger;
    EXPECT_EQ(view.broken[0].key, "node a-younger");
    EXPECT_NE(view.broken[0].reason.find("of the older node z-older"), std::string::npos)
        << view.broken[0].reason;
  }
}

TEST(ViewOfNodes, OfTheSameAgeTheFirstByNameHasIt) {
  Nodes nodes;
  add(nodes, "b", "10.3.2.0-24", 1);
  add(nodes, "a", "10.3.2.0-24", 1);
  EXPECT_EQ(peers(view_of_nodes(nodes)), "a ");
}

TEST(ViewOfNodes, NeighbouringSubnetsAreNotInEachOthersWay) {
  Nodes nodes;
  for (int i = 0; i < 200; ++i)
    add(nodes, "node-" + std::to_string(i), test::numbered(static_cast<unsigned>(i)).to_string(),
        1000 - i);
  const LeaseView view = view_of_nodes(nodes);
  EXPECT_EQ(view.leases.size(), 200U);
  EXPECT_TRUE(view.broken.empty());
}

TEST(KubeStore, AStopEndsWhatAnApiThatSaysNothingWasAsked) {
  std::atomic<int> asked{0};
  const test::HttpServer server([&](const auto&, const auto& peer) {
    ++asked;
    peer.stall();
  });
  KubeStore store({.reader = std::make_shared<KubeReader>(
                       KubeAccess{.endpoint = *HttpEndpoint::parse(server.endpoint(), 80)}),
                   .node_name = "own"});
  using Ask = std::function<Status(const std::stop_token&)>;
  for (const Ask& ask :
       {Ask([&](const auto& stop) {
          return store.annotate({{"public-ip", "192.0.2.1"}}, stop);
        }),
        Ask([&](const auto& stop) { return store.declare_network_available({}, stop); }),
        Ask([&](const auto& stop) { return store.warn("Reason", "message", {}, stop); })}) {
    const int before = asked;
    Status ended;
    std::jthread call([&](const std::stop_token& stop) { ended = ask(stop); });
    ASSERT_TRUE(test::eventually([&] { return asked > before; }));
    const auto stopped = std::chrono::steady_clock::now();
    call.request_stop();
    call.join();
    EXPECT_LT(std::chrono::steady_clock::now() - stopped, std::chrono::seconds(1));
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().number, ECANCELED) << ended.error().text();
  }
}

}  // namespace
}  // namespace weft
