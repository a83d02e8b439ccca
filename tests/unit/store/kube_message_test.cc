#include "store/kube_message.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "support/kube_messages.h"

namespace weft {
namespace {

using test::kube_event;

TEST(KubeMeta, IsWhatAllObjectsHave) {
  const KubeMeta whole{.ns = "b", .name = "a", .version = "3"};
  const auto meta = read_kube_meta(test::kube_object(whole));
  ASSERT_TRUE(meta);
  EXPECT_EQ(*meta, whole);
  const auto bare = read_kube_meta("");
  ASSERT_TRUE(bare);
  EXPECT_EQ(*bare, KubeMeta{});
  for (const char* bytes : {"{}", "<html>", "\x0a\x05x", "\x0a\x02\x0a\x05"})
    EXPECT_FALSE(read_kube_meta(bytes)) << bytes;
  // No name is better than one that breaks the log.
  const auto hostile = read_kube_meta(test::kube_object({.name = "\xff\xfe", .version = "1"}));
  ASSERT_TRUE(hostile);
  EXPECT_EQ(hostile->name, "");
}

TEST(KubeWatchEvent, IsReadOrRefused) {
  using Type = KubeWatchEvent::Type;
  for (const auto& [type, meaning] : {std::pair<const char*, Type>{"ADDED", Type::kPut},
                                      {"MODIFIED", Type::kPut},
                                      {"DELETED", Type::kRemoved},
                                      {"BOOKMARK", Type::kBookmark},
                                      {"ERROR", Type::kError}}) {
    const std::string frame = kube_event(type, "the object");
    const auto event = parse_kube_watch_event(frame);
    ASSERT_TRUE(event) << type;
    EXPECT_EQ(event->type, meaning) << type;
    EXPECT_EQ(event->object, "the object");
  }
  const std::string whole = kube_event("ADDED", "the object");
  for (const std::string& frame :
       {std::string(), std::string("<html>"), whole.substr(0, 20), kube_event("X", "the object"),
        test::kube_event_of("ADDED", ""), test::kube_event_of("ADDED", R"({"kind":"Node"})"),
        test::kube_event_of("ADDED", std::string(kKubeMagic) + "<html>")})
    EXPECT_FALSE(parse_kube_watch_event(frame)) << testing::PrintToString(frame);
}

TEST(KubeWatchError, SaysWhetherTheVersionIsTooOld) {
  const Failure gone = kube_watch_error(test::kube_status(410, "too old resource version"));
  EXPECT_EQ(gone.value().number, ESTALE);
  EXPECT_NE(gone.value().text().find("too old"), std::string::npos);
  for (const std::string& status :
       {test::kube_status(500, ""), test::kube_status(-1, ""), test::kube_status(200, ""),
        std::string(), std::string("<html>")}) {
    const Failure other = kube_watch_error(status);
    EXPECT_EQ(other.value().number, 0);
    EXPECT_NE(other.value().what.find("the watch was ended: "), std::string::npos);
  }
}

// What is told of a 403 with this body.
std::string told(const std::string& type, const std::string& body) {
  const Failure refused =
      kube_refusal("GET /nodes", {.status = 403, .body = body, .content_type = type});
  EXPECT_EQ(refused.value().number, EPERM);
  return refused.value().text();
}

TEST(KubeRefusal, IsInTheServersWordsWhateverItsEncoding) {
  const std::string whole = "GET /nodes: x cannot list; check the ClusterRole and its binding";
  const std::string json = R"({"kind":"Status","code":403,"message":"x cannot list"})";
  const std::string proto = test::kube_body("Status", test::kube_status(403, "x cannot list"));
  EXPECT_EQ(told("application/json", json), whole);
  EXPECT_EQ(told("", json), whole);
  EXPECT_EQ(told(kKubeProtobuf, proto), whole);
  EXPECT_EQ(told("Application/vnd.kubernetes.protobuf ;x=y", proto), whole);
  // Where there are no words, its number.
  for (const auto& [type, body] : std::vector<std::pair<std::string, std::string>>{
           {"text/html", "<html>forbidden</html>"},
           {"text/plain", "Too many requests"},
           {"", ""},
           {kKubeProtobuf, json},
           {kKubeProtobuf, ""},
           {kKubeProtobuf, proto.substr(0, 15)},
           {kKubeProtobuf, test::kube_body("Status", "<html>")},
           {"application/json", proto},
           {"application/json", R"({"message":7})"},
           {"application/json", "[]"}})
    EXPECT_NE(told(type, body).find("GET /nodes: status 403"), std::string::npos)
        << told(type, body);
}

TEST(KubeRefusal, OthersWordsAreOneShortLine) {
  const std::string words = told(
      kKubeProtobuf,
      test::kube_body("Status", test::kube_status(403, "a\n\x1b[31mb" + std::string(9999, 'x'))));
  EXPECT_LT(words.size(), 400U);
  for (const char c : words) EXPECT_GE(static_cast<unsigned char>(c), ' ');
}

}  // namespace
}  // namespace weft
