#include "store/kube_stream.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr char kList[] =
    R"({"kind":"NodeList","apiVersion":"v1","metadata":{"resourceVersion":"12","continue":"x=="},)"
    R"( "items": [ {"metadata":{"name":"a","n":"}]\"{"}} ,{"metadata":{"name":"b"},"items":[1]}]})";

struct Read {
  Status fed;
  Result<KubeListDecoder::End> end;
  std::vector<std::string> items;
};

Read read(std::string_view text, std::size_t step) {
  Read result{.fed = {}, .end = KubeListDecoder::End{}, .items = {}};
  KubeListDecoder decoder([&](std::string_view item) -> Status {
    result.items.emplace_back(item);
    return {};
  });
  for (std::size_t at = 0; at < text.size() && result.fed; at += step)
    result.fed = decoder.feed(text.substr(at, step));
  result.end = decoder.finish();
  return result;
}

TEST(KubeListDecoder, CutsAListInPiecesOfAnySize) {
  for (std::size_t step = 1; step < sizeof kList; ++step) {
    const Read list = read(kList, step);
    ASSERT_TRUE(list.fed && list.end) << step;
    EXPECT_EQ(*list.end, (KubeListDecoder::End{"12", "x=="}));
    EXPECT_EQ(list.items, (std::vector<std::string>{R"({"metadata":{"name":"a","n":"}]\"{"}})",
                                                    R"({"metadata":{"name":"b"},"items":[1]})"}));
  }
}

TEST(KubeListDecoder, EveryHalfOfAListIsAnError) {
  const std::string_view whole(kList);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Read list = read(whole.substr(0, size), 7);
    EXPECT_FALSE(list.fed && list.end) << size;
  }
}

TEST(KubeListDecoder, WhatIsNoListIsAnError) {
  for (const char* text :
       {"", "<html><body>502 Bad Gateway</body></html>", "{}", "[]", "null",
        R"({"kind":"Status","metadata":{"resourceVersion":"1"},"items":[]})",
        R"({"kind":"NodeList","metadata":{"resourceVersion":"1"}})",
        R"({"kind":"NodeList","metadata":{},"items":[]})",
        R"({"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[7]})",
        R"({"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[]}})",
        R"({"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":{}})",
        R"({"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[{]})"}) {
    const Read list = read(text, 1000);
    EXPECT_FALSE(list.fed && list.end) << text;
  }
  EXPECT_TRUE(
      read(R"({"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":null})", 1000).end);
}

TEST(KubeListDecoder, BytesWithoutEndAreRefused) {
  KubeListDecoder decoder([](std::string_view) -> Status { return {}; });
  const std::string piece(1U << 20U, 'x');
  Status fed = decoder.feed(R"({"items":[{"a":")");
  int pieces = 0;
  for (; fed && pieces < 100; ++pieces) fed = decoder.feed(piece);
  EXPECT_LT(pieces, 20);
}

TEST(KubeWatchEvent, IsReadOrRefused) {
  const auto event = parse_kube_watch_event(R"({"type":"DELETED","object":{"metadata":{}}})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, KubeWatchEvent::Type::kRemoved);
  EXPECT_EQ(event->object, R"({"metadata":{}})");
  for (const char* line : {"", "{}", "<html>", R"({"type":"ADDED"})", R"({"type":"X","object":{}})",
                           R"({"type":"ADDED","object":{})"})
    EXPECT_FALSE(parse_kube_watch_event(line)) << line;
  const Failure gone =
      kube_watch_error(R"({"kind":"Status","code":410,"message":"too old resource version"})");
  EXPECT_EQ(gone.value().number, ESTALE);
  EXPECT_NE(gone.value().text().find("too old"), std::string::npos);
}

TEST(KubeLines, GivesWholeLinesOnly) {
  const std::string_view text = "one\n\r\ntwo\nhal";
  for (std::size_t step = 1; step < text.size(); ++step) {
    KubeLines lines;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < text.size(); at += step)
      ASSERT_TRUE(lines.feed(text.substr(at, step), [&](std::string_view line) -> Status {
        got.emplace_back(line);
        return {};
      }));
    EXPECT_EQ(got, (std::vector<std::string>{"one", "two"})) << step;
  }
}

TEST(KubeMeta, IsWhatAllObjectsHave) {
  const auto meta = read_kube_meta(
      R"({"metadata":{"labels":{"name":"x"},"name":"a","namespace":"b","resourceVersion":"3"}})");
  ASSERT_TRUE(meta);
  EXPECT_EQ(*meta, (KubeMeta{.ns = "b", .name = "a", .version = "3"}));
  EXPECT_FALSE(read_kube_meta("{"));
}

}  // namespace
}  // namespace weft
