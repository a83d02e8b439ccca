#include "store/etcd_message.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

// As etcd 3.4 wrote it: two events, a progress notice, the end by compaction.
constexpr char kStream[] =
    R"({"result":{"header":{"cluster_id":"1","revision":"3"},"created":true}})"
    "\n"
    R"({"result":{"header":{"revision":"3"},"events":[)"
    R"({"kv":{"key":"Zm9v","create_revision":"2","mod_revision":"2","version":"1","value":"YmFy","lease":"9007199254740993"}},)"
    R"({"type":"DELETE","kv":{"key":"Zm9v","mod_revision":"3"}}]}})"
    "\n"
    R"({"result":{"header":{"revision":"8"}}})"
    "\n"
    R"({"result":{"header":{"raft_term":"2"},"canceled":true,"compact_revision":"9"}})"
    "\n";

std::vector<EtcdWatchMessage> expected() {
  return {
      {.revision = 3, .created = true, .cancel_reason = {}, .events = {}},
      {.revision = 3,
       .cancel_reason = {},
       .events =
           {{.removed = false,
             .kv = {.key = "foo", .value = "bar", .mod_revision = 2, .lease = 9007199254740993}},
            {.removed = true, .kv = {.key = "foo", .value = {}, .mod_revision = 3}}}},
      {.revision = 8, .cancel_reason = {}, .events = {}},
      {.canceled = true, .compact_revision = 9, .cancel_reason = {}, .events = {}}};
}

// The stream is cut anywhere: by the network, by the proxy, by the reader's buffer.
TEST(EtcdWatchDecoderTest, PiecesOfAnySizeGiveTheSameMessages) {
  const std::string stream = kStream;
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    EtcdWatchDecoder decoder;
    std::vector<EtcdWatchMessage> messages;
    for (std::size_t offset = 0; offset < stream.size(); offset += size) {
      const auto more = decoder.feed(stream.substr(offset, size));
      ASSERT_TRUE(more) << more.error().text();
      messages.insert(messages.end(), more->begin(), more->end());
    }
    ASSERT_EQ(messages, expected()) << size;
  }
}

TEST(EtcdWatchDecoderTest, EndlessLineIsRefused) {
  EtcdWatchDecoder decoder;
  const std::string piece(8U << 20U, ' ');
  int pieces = 0;
  while (decoder.feed(piece)) ASSERT_LT(++pieces, 10);
  EXPECT_EQ(pieces, 8);
}

TEST(EtcdMessageTest, WatchMessagesRefused) {
  for (const std::string line :
       {"<html>", "{}", "[]", "7", R"({"result":7})", R"({"result":{}})",
        R"({"result":{"header":{"revision":"x"}}})", R"({"result":{"header":{},"events":{}}})",
        R"({"result":{"header":{},"events":[{}]}})",
        R"({"result":{"header":{},"events":[{"kv":{}}]}})",
        R"({"result":{"header":{},"events":[{"type":"ELSE","kv":{"key":"Zm9v"}}]}})",
        R"({"result":{"header":{},"events":[{"kv":{"key":"Zm9"}}]}})",
        R"({"result":{"header":{},"canceled":"yes"}})"})
    EXPECT_FALSE(parse_etcd_watch_message(line)) << line;
}

TEST(EtcdMessageTest, RefusalsAreQuoted) {
  EXPECT_EQ(etcd_error_words(R"({"error":"etcdserver: x","message":"etcdserver: x","code":5})"),
            "etcdserver: x");
  EXPECT_EQ(etcd_error_words(R"({"error":{"grpc_code":14,"message":"no leader"}})"), "no leader");
  EXPECT_EQ(etcd_error_words("<html>"), "");
  const auto message = parse_etcd_watch_message(R"({"error":{"message":"no leader"}})");
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().what, "no leader");
}

TEST(EtcdMessageTest, NumbersAsTextAndAsNumbers) {
  const Json json = *parse_json(R"({"a":"9223372036854775807","b":-3,"c":"","d":1.5,"e":null})");
  EXPECT_EQ(read_int64(json, "a"), INT64_MAX);
  EXPECT_EQ(read_int64(json, "b"), -3);
  EXPECT_FALSE(read_int64(json, "c"));
  EXPECT_FALSE(read_int64(json, "d"));
  EXPECT_EQ(read_int64(json, "e", 4), 4);
  EXPECT_EQ(read_int64(json, "f"), 0);
}

}  // namespace
}  // namespace weft
