#include "base/json_cursor.h"

#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

// "a=1 b=text" of the top object's members.
std::string members(std::string_view text) {
  std::string shown;
  JsonCursor json(text);
  json.object([&](std::string_view name) {
    shown +=
        std::string(shown.empty() ? "" : " ") + std::string(name) + "=" + std::string(json.skip());
  });
  return json.at_end() ? shown : "mistake";
}

TEST(JsonCursor, PassesOverWhatItIsNotAskedFor) {
  EXPECT_EQ(members(R"({"a":1,"b":"x","c":{"d":[1,{"e":"}"}]},"f":[],"g":null})"),
            R"(a=1 b="x" c={"d":[1,{"e":"}"}]} f=[] g=null)");
  EXPECT_EQ(members(" { } "), "");
  EXPECT_EQ(members("\n{ \"a\" : -1.5e3 ,\t\"b\" : true }\r\n"), "a=-1.5e3 b=true");
  EXPECT_EQ(members(R"({"a\"b":"\\"})"), R"(a\"b="\\")");
  EXPECT_EQ(members("[1,2]"), "");  // no object is no mistake
}

TEST(JsonCursor, MistakesEndTheReading) {
  for (const char* text : {"", "{", "}", R"({"a")", R"({"a":)", R"({"a":1)", R"({"a":1,})",
                           R"({"a":1}})", R"({"a":[1})", R"({"a":"x)", R"({"a":"\"})", R"({"a" 1})",
                           R"({"a":hello})", R"({1:2})", "<html>", R"({"a":{"b":[}]})"})
    EXPECT_EQ(members(text), "mistake") << text;
  EXPECT_EQ(members("{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}"), "mistake");
}

TEST(JsonCursor, ReadsStrings) {
  for (const auto& [text, value] : std::vector<std::pair<std::string, std::string>>{
           {R"("")", ""},
           {R"("a\"b\\c\/d\b\f\n\r\t")", "a\"b\\c/d\b\f\n\r\t"},
           {R"("\u0041\u00e4\u20ac")", "A\u00e4\u20ac"},
           {R"("\ud83d\ude00")", "\U0001f600"},
           {R"("\ud83d!")", "\ufffd!"},
           {R"("\ude00")", "\ufffd"}}) {
    JsonCursor json(text);
    EXPECT_EQ(json.string(), value) << text;
    EXPECT_TRUE(json.at_end()) << text;
  }
  for (const char* text : {R"("\x")", R"("\u12")", R"("\u12G4")", R"("a)"}) {
    JsonCursor json(text);
    EXPECT_EQ(json.string(), std::nullopt) << text;
    EXPECT_FALSE(json.ok()) << text;
  }
  JsonCursor number("17");
  EXPECT_EQ(number.string(), std::nullopt);
  EXPECT_TRUE(number.at_end());
}

TEST(JsonCursor, ReadsArrays) {
  std::vector<std::string> words;
  JsonCursor json(R"( ["a", 1 ,"b",[ ] ] )");
  json.array([&] {
    if (auto text = json.string()) words.push_back(*text);
  });
  EXPECT_TRUE(json.at_end());
  EXPECT_EQ(words, (std::vector<std::string>{"a", "b"}));
}

TEST(JsonCursor, CanBeLeft) {
  JsonCursor json(R"({"a":1,"b":2, no matter)");
  std::string seen;
  json.object([&](std::string_view name) {
    seen += name;
    json.skip();
    if (name == "b") json.leave();
  });
  EXPECT_TRUE(json.at_end());
  EXPECT_EQ(seen, "ab");
}

}  // namespace
}  // namespace weft
