// Several readers of one collection, and what the server sees of them.
#include "store/kube_reader.h"

#include <atomic>
#include <memory>

#include <gtest/gtest.h>

#include "base/thread_name.h"
#include "support/eventually.h"
#include "support/http_server.h"
#include "support/kube_messages.h"
#include "support/kube_names.h"

namespace weft {
namespace {

using std::chrono::milliseconds;
using test::eventually;
using test::HttpServer;

using Labels = std::map<std::string, std::string>;

std::string event(const std::string& type, const std::string& name, int version,
                  const Labels& labels = {}) {
  return test::kube_frame(test::kube_event(
      type, test::kube_object({.name = name, .version = std::to_string(version)}, labels)));
}

// An API server with the nodes a, b (with the label "ours") and c (with the label "theirs"), which
// selects by the only selector of these tests.
class Server {
 public:
  std::shared_ptr<KubeReader> reader(KubeGathering gathering = {}) const {
    return std::make_shared<KubeReader>(
        KubeAccess{.endpoint = *HttpEndpoint::parse(server_.endpoint(), 80)}, std::move(gathering));
  }
  /// To all open watches. They must be open.
  void send(const std::string& frame) {
    frames_.with([&](std::string& frames) { frames += frame; });
  }
  void refuse(bool on) { refuses_ = on; }

  std::atomic<int> lists{0};
  std::atomic<int> open_watches{0};
  std::atomic<int> watches{0};
  LockGuarded<std::string> last_list;

 private:
  void answer(const HttpServer::Request& request, const HttpServer::Peer& peer) {
    if (refuses_) {
      peer.send(test::http_answer(500, "{}"));
      return;
    }
    if (request.head.find("watch=true") != std::string::npos) return watch(peer);
    ++lists;
    last_list.with([&](std::string& last) { last = request.head; });
    std::vector<std::string> items{
        test::kube_object({.name = "a", .version = "1"}),
        test::kube_object({.name = "b", .version = "2"}, {{"ours", ""}})};
    if (request.head.find("labelSelector") == std::string::npos)
      items.push_back(test::kube_object({.name = "c", .version = "3"}, {{"theirs", ""}}));
    peer.send(test::http_answer(200, test::kube_list(items, "5"), kKubeProtobuf));
  }
  void watch(const HttpServer::Peer& peer) {
    ++watches;
    ++open_watches;
    peer.send(
        "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.kubernetes.protobuf;stream=watch\r\n"
        "Connection: close\r\n\r\n");
    std::string sent;
    bool is_there = peer.send(event("BOOKMARK", "", 6));
    while (is_there) {
      const std::string all = frames_.copy();
      is_there =
          peer.send(all.size() > sent.size() ? all.substr(sent.size()) : event("BOOKMARK", "", 6));
      sent = all;
      std::this_thread::sleep_for(milliseconds(5));
    }
    --open_watches;
  }

  std::atomic<bool> refuses_{false};
  LockGuarded<std::string> frames_;
  HttpServer server_{[this](const auto& request, const auto& peer) { answer(request, peer); }};
};

class Follower {
 public:
  explicit Follower(KubeReader& reader, const KubeSelection& selection = {})
      : follower_(reader, {.path = kNodesPath, .selection = selection}, table_,
                  [this] { ++changes; }) {}

  std::string names() const { return test::kube_names(table_); }
  bool comes_to(const std::string& wanted) const {
    return eventually([&] { return names() == wanted; });
  }
  bool is_well() const {
    return eventually([&] { return follower_.health().has_value(); });
  }
  Status health() const { return follower_.health(); }
  std::string thread() const { return thread_.copy(); }

  std::atomic<int> changes{0};

 private:
  LockGuarded<std::string> thread_;
  KubeTable<std::string> table_{[this](const KubeMeta& meta, std::string_view) {
    thread_.with([](std::string& name) { name = thread_name(); });
    return meta.version;
  }};
  KubeFollower follower_;
};

TEST(KubeReader, TwoReadersAreOneForTheServer) {
  Server server;
  const auto reader = server.reader({.followers = {{kNodesPath, 2}}});
  const Follower one(*reader);
  const Follower other(*reader);
  EXPECT_TRUE(one.comes_to("a b c"));
  EXPECT_TRUE(other.comes_to("a b c"));
  EXPECT_TRUE(one.is_well() && other.is_well());
  EXPECT_EQ(server.lists, 1);
  EXPECT_TRUE(eventually([&] { return server.open_watches == 1; }));
  server.send(event("ADDED", "d", 7) + event("DELETED", "a", 8));
  EXPECT_TRUE(one.comes_to("b c d"));
  EXPECT_TRUE(other.comes_to("b c d"));
  EXPECT_EQ(server.watches, 1);
}

TEST(KubeReader, WhoComesLaterHasAListReadAnewAndTheOthersKeepWhatTheyHave) {
  Server server;
  const auto reader = server.reader();
  const Follower one(*reader);
  ASSERT_TRUE(one.comes_to("a b c"));
  ASSERT_TRUE(eventually([&] { return server.open_watches == 1; }));
  const Follower late(*reader);
  EXPECT_TRUE(late.comes_to("a b c"));
  EXPECT_EQ(one.names(), "a b c");
  EXPECT_EQ(server.lists, 2);
  EXPECT_TRUE(eventually([&] { return server.watches == 2 && server.open_watches == 1; }));
}

TEST(KubeReader, AFirstListWaitsForThoseWhoAreToComeButNotForLong) {
  Server server;
  const auto reader =
      server.reader({.followers = {{kNodesPath, 2}}, .patience = milliseconds(200)});
  const auto began = std::chrono::steady_clock::now();
  const Follower alone(*reader);
  EXPECT_TRUE(alone.comes_to("a b c"));
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(200));
}

TEST(KubeReader, OneSelectionIsTheServersBusiness) {
  Server server;
  const auto reader = server.reader();
  const Follower one(*reader, {.labels = "!theirs"});
  EXPECT_TRUE(one.comes_to("a b"));
  EXPECT_NE(server.last_list.copy().find("labelSelector=%21theirs"), std::string::npos);
}

TEST(KubeReader, OfSeveralSelectionsEachPicksItsOwn) {
  Server server;
  const auto reader = server.reader({.followers = {{kNodesPath, 3}}});
  const Follower most(*reader, {.labels = "!theirs"});
  const Follower all(*reader);
  const Follower b(*reader, {.fields = "metadata.name=b"});
  EXPECT_TRUE(most.comes_to("a b"));
  EXPECT_TRUE(all.comes_to("a b c"));
  EXPECT_TRUE(b.comes_to("b"));
  EXPECT_EQ(server.last_list.copy().find("Selector"), std::string::npos);
  EXPECT_EQ(server.lists, 1);
  // An object that has become another one's is gone, and news only to whom it concerns.
  ASSERT_TRUE(eventually([&] { return server.open_watches == 1; }));
  const int changes_of_b = b.changes;
  server.send(event("MODIFIED", "a", 7, {{"theirs", ""}}));
  EXPECT_TRUE(most.comes_to("b"));
  EXPECT_EQ(all.names(), "a b c");
  EXPECT_EQ(b.changes, changes_of_b);
}

TEST(KubeReader, ASelectionThatOnlyTheServerKnowsIsFollowedAlone) {
  Server server;
  const auto reader = server.reader();
  const Follower all(*reader);
  const Follower special(*reader, {.labels = "a>1"});
  EXPECT_TRUE(all.comes_to("a b c"));
  EXPECT_TRUE(special.comes_to("a b"));
  EXPECT_TRUE(eventually([&] { return server.open_watches == 2; }));
}

TEST(KubeReader, WhoHasLeftIsNotCalledAndTheLastOneEndsTheWatch) {
  Server server;
  const auto reader = server.reader({.followers = {{kNodesPath, 2}}});
  auto one = std::make_unique<Follower>(*reader);
  auto other = std::make_unique<Follower>(*reader);
  ASSERT_TRUE(other->comes_to("a b c"));
  one.reset();
  ASSERT_TRUE(eventually([&] { return server.open_watches == 1; }));
  server.send(event("ADDED", "d", 7));
  EXPECT_TRUE(other->comes_to("a b c d"));
  other.reset();
  EXPECT_TRUE(eventually([&] { return server.open_watches == 0; }));
  const Follower next(*reader);
  EXPECT_TRUE(next.comes_to("a b c d"));
}

TEST(KubeReader, AnOutageTakesNothingFromAnybody) {
  Server server;
  const auto reader = server.reader();
  const Follower one(*reader);
  ASSERT_TRUE(one.comes_to("a b c"));
  ASSERT_TRUE(one.is_well());
  server.refuse(true);
  const Follower late(*reader);
  EXPECT_TRUE(eventually([&] { return !one.health() && !late.health(); }));
  EXPECT_EQ(one.names(), "a b c");
  EXPECT_EQ(late.names(), "nothing");
  server.refuse(false);
  EXPECT_TRUE(late.comes_to("a b c"));
  EXPECT_TRUE(one.is_well() && late.is_well());
}

TEST(KubeReader, EachIsCalledUnderItsThreadsName) {
  Server server;
  const auto reader = server.reader({.followers = {{kNodesPath, 2}}});
  std::unique_ptr<Follower> one;
  std::unique_ptr<Follower> other;
  std::jthread([&] {
    set_thread_name("first");
    one = std::make_unique<Follower>(*reader);
    set_thread_name("second");
    other = std::make_unique<Follower>(*reader);
  }).join();
  EXPECT_TRUE(eventually([&] { return one->thread() == "first"; }));
  EXPECT_TRUE(eventually([&] { return other->thread() == "second"; }));
}

}  // namespace
}  // namespace weft
