// The list-watch against what a real API server will not do: an HTTP server on loopback that
// says what the test wants.
#include "store/kube_list_watch.h"

#include <atomic>
#include <memory>

#include <gtest/gtest.h>

#include "support/eventually.h"
#include "support/http_server.h"
#include "support/kube_messages.h"
#include "support/kube_names.h"

namespace weft {
namespace {

using std::chrono::milliseconds;
using test::eventually;
using test::http_answer;
using test::HttpServer;

constexpr char kStream[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.kubernetes.protobuf;stream=watch\r\n"
    "Connection: close\r\n\r\n";

std::string object(const std::string& name, int version) {
  return test::kube_object({.name = name, .version = std::to_string(version)});
}

std::string answer(int status, const std::string& body) {
  return http_answer(status, body, kKubeProtobuf);
}

std::string list(const std::vector<std::string>& names, const std::string& next = "") {
  std::vector<std::string> items;
  for (const auto& name : names) items.push_back(object(name, 1));
  return answer(200, test::kube_list(items, "5", next));
}

std::string event(const std::string& type, const std::string& name, int version) {
  return test::kube_frame(test::kube_event(type, object(name, version)));
}

std::string refusal(int code, const std::string& message) {
  return test::kube_body("Status", test::kube_status(code, message));
}

// Follows "/nodes" of a server whose answers are the test's: `lists` and `watches` count the
// requests from 0 on.
class Followed {
 public:
  using Answer =
      std::function<void(int number, const HttpServer::Request&, const HttpServer::Peer&)>;

  Followed(Answer on_list, Answer on_watch, const std::string& label_selector = {})
      : server_([this, on_list, on_watch](const auto& request, const auto& peer) {
          if (request.head.find("watch=true") == std::string::npos)
            on_list(lists++, request, peer);
          else
            on_watch(watches++, request, peer);
        }),
        table_([](const KubeMeta& meta, std::string_view) { return meta.version; }),
        client_({.endpoint = *HttpEndpoint::parse(server_.endpoint(), 80)}) {
    watch_ = std::make_unique<KubeListWatch>(
        client_,
        KubeListWatchOptions{
            .path = "/nodes",
            .selection = {.labels = label_selector},
            .page = 2,
            .watch_time = std::chrono::seconds(5),
            .watch_silence = milliseconds(300),
            .list_patience = {.silence = milliseconds(300), .whole = milliseconds(900)},
            .longest_pause = milliseconds(100)},
        table_, [this] { ++changes; });
    watch_->start();
  }

  std::string names() const { return test::kube_names(table_); }
  bool comes_to(const std::string& wanted) const {
    return eventually([&] { return names() == wanted; });
  }
  Status health() const { return watch_->health(); }

  std::atomic<int> lists{0};
  std::atomic<int> watches{0};
  std::atomic<int> changes{0};

 private:
  HttpServer server_;
  KubeTable<std::string> table_;
  KubeClient client_;
  std::unique_ptr<KubeListWatch> watch_;
};

// A watch that stays open and silent.
void silent(int, const HttpServer::Request&, const HttpServer::Peer& peer) {
  peer.send(std::string(kStream) + event("BOOKMARK", "", 6));
  peer.stall();
}

// Whether the health is a failure with these words.
bool tells(const Followed& nodes, const std::string& words) {
  const Status health = nodes.health();
  return !health && health.error().text().find(words) != std::string::npos;
}

Followed::Answer lists_ab() {
  return [](int, const auto&, const auto& peer) { peer.send(list({"a", "b"})); };
}

TEST(KubeListWatch, PagesMakeOneList) {
  Followed nodes(
      [](int, const HttpServer::Request& request, const auto& peer) {
        const bool second = request.head.find("continue=p%2B2") != std::string::npos;
        peer.send(second ? list({"c"}) : list({"a", "b"}, "p+2"));
      },
      silent);
  EXPECT_TRUE(nodes.comes_to("a b c"));
  EXPECT_EQ(nodes.lists, 2);
  EXPECT_TRUE(eventually([&] { return nodes.health().has_value(); }));
}

// A server refuses a version beside a continuation, and what it has forgotten is not to be found
// in its memory.
TEST(KubeListWatch, OnlyTheFirstListMayBeTheOneInTheServersMemory) {
  LockGuarded<std::string> asked;
  Followed nodes(
      [&](int number, const HttpServer::Request& request, const auto& peer) {
        asked.with([&](std::string& all) {
          all += request.head.substr(0, request.head.find(" HTTP")) + "\n";
        });
        peer.send(number == 0 ? list({"a"}, "next") : list({"a", "b"}));
      },
      [](int number, const auto& request, const auto& peer) {
        if (number > 0) return silent(number, request, peer);
        peer.send(std::string(kStream) +
                  test::kube_frame(test::kube_event_of("ERROR", refusal(410, "too old"))));
      });
  EXPECT_TRUE(eventually([&] { return nodes.watches >= 2; }));
  EXPECT_EQ(asked.copy(),
            "GET /nodes?limit=2&resourceVersion=0\n"
            "GET /nodes?limit=2&continue=next\n"
            "GET /nodes?limit=2\n");
}

TEST(KubeListWatch, TheServerIsToldWhichLabelsAreWanted) {
  std::atomic<int> told = 0;
  const auto look = [&](const HttpServer::Request& request) {
    if (request.head.find("&labelSelector=%21a%2Fb%2C%21c") != std::string::npos) ++told;
  };
  const Followed nodes(
      [&](int, const auto& request, const auto& peer) {
        look(request);
        peer.send(list({"a"}));
      },
      [&](int number, const auto& request, const auto& peer) {
        if (number == 0) look(request);
        silent(number, request, peer);
      },
      "!a/b,!c");
  EXPECT_TRUE(eventually([&] { return nodes.watches >= 1; }));
  EXPECT_TRUE(eventually([&] { return told == 2; }));
}

TEST(KubeListWatch, AContinuationThatIsGoneBeginsAnew) {
  Followed nodes(
      [](int number, const auto&, const auto& peer) {
        if (number == 0) peer.send(list({"x", "y"}, "old"));
        if (number == 1) peer.send(answer(410, refusal(410, "expired")));
        if (number >= 2) peer.send(list({"a"}));
      },
      silent);
  EXPECT_TRUE(nodes.comes_to("a"));
}

TEST(KubeListWatch, NonsenseIsNeverAnEmptyCluster) {
  const std::string whole = list({"x", "y"});
  const std::string half = whole.substr(0, whole.size() - 10);
  const std::vector<std::string> nonsense{
      http_answer(200, "<html>502 Bad Gateway</html>", "text/html"),
      http_answer(200, R"({"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[]})"),
      answer(200, "<html>502 Bad Gateway</html>"),
      answer(200, ""),
      answer(200, test::kube_list({""}, "1")),
      answer(200, test::kube_list({object("\xff", 1)}, "1")),
      answer(200, refusal(500, "oops")),
      http_answer(500, "oops"),
      half,
      std::string(kStream) + half.substr(half.find("\r\n\r\n") + 4),
      ""};
  Followed nodes(
      [&](int number, const auto&, const auto& peer) {
        const auto which = static_cast<std::size_t>(number) - 1;
        if (number == 0)
          peer.send(list({"a", "b"}));
        else
          peer.send(which < nonsense.size() ? nonsense[which] : list({"c"}));
      },
      [](int, const auto&, const auto& peer) {
        peer.send(std::string(kStream) +
                  test::kube_frame(test::kube_event_of("ERROR", refusal(410, "too old"))));
      });
  std::string seen;
  EXPECT_TRUE(eventually(
      [&] {
        const std::string now = nodes.names();
        if (!seen.ends_with("|" + now)) seen += "|" + now;
        return now == "c";
      },
      std::chrono::seconds(60)));
  EXPECT_TRUE(seen == "|nothing|a b|c" || seen == "|a b|c") << seen;
}

TEST(KubeListWatch, EventsAreFollowedAndHeartbeatsAreNoNews) {
  Followed nodes(lists_ab(), [](int number, const auto&, const auto& peer) {
    if (number > 0) return silent(number, {}, peer);
    peer.send(std::string(kStream) + event("ADDED", "c", 6) + event("DELETED", "a", 7) +
              event("MODIFIED", "c", 6) + event("BOOKMARK", "", 9));
    peer.stall();
  });
  EXPECT_TRUE(nodes.comes_to("b c"));
  // The list, its health, two events; neither the repetition nor the bookmark.
  EXPECT_TRUE(eventually([&] { return nodes.watches >= 2; }));
  EXPECT_LE(nodes.changes, 4);
}

TEST(KubeListWatch, AWatchGoesOnWhereItEnded) {
  std::string asked;
  Followed nodes(lists_ab(), [&](int number, const HttpServer::Request& request, const auto& peer) {
    if (number == 0)
      // Half an event is none.
      peer.send(std::string(kStream) + event("ADDED", "c", 8) +
                event("DELETED", "a", 9).substr(0, 20));
    if (number == 1) {
      asked = request.head;
      peer.send(std::string(kStream) + event("ADDED", "d", 9));
    }
    if (number > 1) silent(number, request, peer);
  });
  EXPECT_TRUE(nodes.comes_to("a b c d"));
  EXPECT_NE(asked.find("resourceVersion=8"), std::string::npos) << asked;
  EXPECT_EQ(nodes.lists, 1);
}

TEST(KubeListWatch, ASilentStreamIsOpenedAgainAndAStalledListIsTriedAgain) {
  Followed nodes(
      [](int number, const auto&, const auto& peer) {
        if (number == 0) {
          const std::string whole = list({"x"});
          peer.send(whole.substr(0, whole.size() - 10));
          peer.stall();
        } else {
          peer.send(list({"a"}));
        }
      },
      [](int number, const auto& request, const auto& peer) {
        if (number < 2) return silent(number, request, peer);
        peer.send(std::string(kStream) + event("ADDED", "b", 9));
        peer.stall();
      });
  EXPECT_TRUE(nodes.comes_to("a b"));
  EXPECT_EQ(nodes.lists, 2);
}

// As one that was started again does, of a collection in which nothing has happened since.
TEST(KubeListWatch, AServerThatAgreesToWatchAndSaysNothingIsWell) {
  Followed nodes(lists_ab(), [](int, const auto&, const auto& peer) {
    peer.send(kStream);
    peer.stall();
  });
  EXPECT_TRUE(eventually([&] { return nodes.watches >= 1 && nodes.health().has_value(); }));
  const int changes = nodes.changes;
  EXPECT_TRUE(eventually([&] { return nodes.watches >= 3; }));
  EXPECT_EQ(nodes.changes, changes);
  EXPECT_EQ(nodes.lists, 1);
}

TEST(KubeListWatch, AnEventThatCannotBeReadListsAnew) {
  Followed nodes(
      [](int number, const auto&, const auto& peer) {
        peer.send(number == 0 ? list({"a"}) : list({"a", "b"}));
      },
      [](int number, const auto& request, const auto& peer) {
        if (number > 0) return silent(number, request, peer);
        peer.send(std::string(kStream) + "<html>oops</html>");
      });
  EXPECT_TRUE(nodes.comes_to("a b"));
}

TEST(KubeListWatch, AWatchOfAnotherTypeIsNone) {
  Followed nodes(lists_ab(), [](int, const auto&, const auto& peer) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: application/json;stream=watch\r\n\r\n" +
              event("ADDED", "c", 6));
    peer.stall();
  });
  EXPECT_TRUE(eventually([&] { return tells(nodes, "\"application/json;stream=watch\""); }))
      << nodes.health().error().text();
  EXPECT_EQ(nodes.names(), "a b");
}

TEST(KubeListWatch, AListOfAnotherTypeIsToldWithItsServer) {
  Followed nodes(
      [](int, const HttpServer::Request& request, const auto& peer) {
        EXPECT_NE(request.head.find("\r\nAccept: application/vnd.kubernetes.protobuf\r\n"),
                  std::string::npos)
            << request.head;
        peer.send(http_answer(200, "<html>please log in</html>", "text/html; charset=utf-8"));
      },
      silent);
  EXPECT_TRUE(eventually([&] {
    return tells(nodes, "Kubernetes API at http://127.0.0.1:") &&
           tells(nodes,
                 "answers with the type \"text/html; charset=utf-8\" instead of "
                 "application/vnd.kubernetes.protobuf");
  })) << nodes.health().error().text();
  EXPECT_EQ(nodes.names(), "nothing");
}

TEST(KubeListWatch, ARefusalIsToldInTheServersWords) {
  for (const std::string& answered :
       {answer(403, refusal(403, "nodes is forbidden: User x cannot list")),
        http_answer(403, R"({"kind":"Status","code":403,
          "message":"nodes is forbidden: User x cannot list"})")}) {
    Followed nodes([&](int, const auto&, const auto& peer) { peer.send(answered); }, silent);
    EXPECT_TRUE(eventually([&] {
      return tells(nodes, "User x cannot list; check the ClusterRole");
    })) << nodes.health().error().text();
    EXPECT_EQ(nodes.names(), "nothing");
  }
}

}  // namespace
}  // namespace weft
