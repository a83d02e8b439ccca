// JSON the way Go reads it: what flannel and CNI accept and refuse.
#include "base/json.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(ParseJsonTest, Refused) {
  for (const std::string text : {"", " ", "{", "{}x", "{,}", "[1,]", "{'a':1}", "nul", "\"\\x\"",
                                 "// no\n{}", "{\"a\":1,}", "01"})
    EXPECT_FALSE(parse_json(text)) << text;
}

TEST(ParseJsonTest, DepthHasABound) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(parse_json(nested(64)));
  EXPECT_FALSE(parse_json(nested(65)));
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
  EXPECT_TRUE(parse_json("\"" + std::string(100, '[') + "\\\"" + std::string(100, '{') + "\""));
}

TEST(ParseJsonTest, InvalidUtf8IsReplaced) {
  for (const auto& [bytes, expected] : std::vector<std::pair<std::string, std::string>>{
           {"caf\xc3\xa9", "caf\xc3\xa9"},
           {"\xff", "\xef\xbf\xbd"},
           {"\xc3", "\xef\xbf\xbd"},
           {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
           {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
       }) {
    const auto json = parse_json("\"" + bytes + "\"");
    ASSERT_TRUE(json);
    EXPECT_EQ(json->get<std::string>(), expected);
  }
}

TEST(ParseJsonTest, OrderOfTheTextStays) {
  EXPECT_EQ(to_text(*parse_json(R"({ "b": 1, "a": [ true, null ] })")),
            R"({"b":1,"a":[true,null]})");
}

TEST(FindMemberTest, AnyCaseAndTheLastWins) {
  const Json object = *parse_json(R"({"Key":1,"other":2,"KEY":3})");
  EXPECT_EQ(*find_member(object, "key"), 3);
  EXPECT_EQ(find_member(object, "ke"), nullptr);
  EXPECT_EQ(find_member(Json::array({1}), "key"), nullptr);
}

struct All {
  bool flag = true;
  std::string text = "before";
  std::vector<std::string> words = {"before"};
  int number = 7;
  std::uint32_t small = 7;
  std::int64_t large = 7;
  std::optional<bool> perhaps;
};

Status read(const std::string& text, All& all) {
  const Json json = *parse_json(text);
  ObjectReader reader(json, "test");
  reader.read("flag", all.flag);
  reader.read("text", all.text);
  reader.read("words", all.words);
  reader.read("number", all.number);
  reader.read("small", all.small);
  reader.read("large", all.large);
  reader.read("perhaps", all.perhaps);
  return reader.finish();
}

TEST(ObjectReaderTest, Reads) {
  All all;
  ASSERT_TRUE(read(R"({"FLAG":false,"text":"t","words":["a","b"],"number":-2147483648,
                       "small":4294967295,"large":-9223372036854775808,"perhaps":true})",
                   all));
  EXPECT_FALSE(all.flag);
  EXPECT_EQ(all.text, "t");
  EXPECT_EQ(all.words, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(all.number, INT32_MIN);
  EXPECT_EQ(all.small, UINT32_MAX);
  EXPECT_EQ(all.large, INT64_MIN);
  EXPECT_EQ(all.perhaps, true);
}

TEST(ObjectReaderTest, AbsentAndNullLeaveTheTarget) {
  for (const std::string text :
       {R"({})", R"({"flag":null,"text":null,"words":null,"perhaps":null})"}) {
    All all;
    ASSERT_TRUE(read(text, all));
    EXPECT_TRUE(all.flag);
    EXPECT_EQ(all.text, "before");
    EXPECT_EQ(all.words, std::vector<std::string>{"before"});
    EXPECT_FALSE(all.perhaps);
  }
}

TEST(ObjectReaderTest, WrongTypesAreNamed) {
  for (const auto& [text, key] : std::vector<std::pair<std::string, std::string>>{
           {R"({"flag":"yes"})", "flag"},
           {R"({"flag":1})", "flag"},
           {R"({"text":1})", "text"},
           {R"({"words":"a"})", "words"},
           {R"({"words":["a",1]})", "words"},
           {R"({"number":1.5})", "number"},
           {R"({"number":"1"})", "number"},
           {R"({"number":2147483648})", "number"},
           {R"({"number":-2147483649})", "number"},
           {R"({"small":-1})", "small"},
           {R"({"small":4294967296})", "small"},
           {R"({"large":18446744073709551615})", "large"},
           {R"({"perhaps":[]})", "perhaps"},
       }) {
    All all;
    const Status status = read(text, all);
    ASSERT_FALSE(status) << text;
    EXPECT_NE(status.error().what.find(key), std::string::npos) << status.error().what;
  }
  All all;
  EXPECT_FALSE(read("[]", all));
}

TEST(ObjectReaderTest, TheFirstTroubleIsTold) {
  const Json json = *parse_json(R"({"a":{},"b":[]})");
  ObjectReader reader(json, "test");
  EXPECT_NE(reader.object("a"), nullptr);
  EXPECT_NE(reader.array("b"), nullptr);
  EXPECT_EQ(reader.object("c"), nullptr);
  EXPECT_TRUE(reader.finish());
  EXPECT_EQ(reader.array("a"), nullptr);
  reader.reject("b", "later");
  EXPECT_EQ(reader.finish().error().what, "test: a: expected a list");
}

}  // namespace
}  // namespace weft
