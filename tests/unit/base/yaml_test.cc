// YAML as JSON values: what people's manifests and configurations hold, and what is refused of a
// hostile one.
#include "base/yaml.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

std::string shown_documents(const std::string& text) {
  const auto documents = parse_yaml(text);
  return documents ? to_text(Json(*documents)) : documents.error().text();
}

struct Case {
  std::string name;
  std::string text;
  std::string expected;  // the documents as one JSON array, or the error
};

class ParseYamlTest : public testing::TestWithParam<Case> {};

TEST_P(ParseYamlTest, AsJson) {
  EXPECT_EQ(shown_documents(GetParam().text), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Read, ParseYamlTest,
    testing::ValuesIn(std::vector<Case>{
        {"Nothing", "", "[]"},
        {"OnlyAComment", "# nothing\n", "[]"},
        {"PlainScalars", "[null, ~, , true, False, 12, -3, 0.5, 1.2.3, 1e, yes, 10.0.0.0/8]",
         R"([[null,null,null,true,false,12,-3,0.5,"1.2.3","1e","yes","10.0.0.0/8"]])"},
        {"QuotedScalarsAreStrings", "{a: \"12\", b: 'true', c: !!str 5}",
         R"([{"a":"12","b":"true","c":"5"}])"},
        {"BlocksAndOrder", "b: 1\na:\n- x\n- y: |\n    two\n    lines\n",
         R"([{"b":1,"a":["x",{"y":"two\nlines\n"}]}])"},
        {"EmptyDocumentsAreLeftOut", "---\n---\na: 1\n---\n# no\n---\nb: 2\n...\n",
         R"([{"a":1},{"b":2}])"},
        {"AnEmptyMember", "a:\nb: {}\nc: []\n", R"([{"a":null,"b":{},"c":[]}])"},
        {"Aliases", "a: &x {n: [1]}\nb: *x\nc: &y word\nd: *y\n",
         R"([{"a":{"n":[1]},"b":{"n":[1]},"c":"word","d":"word"}])"},
        {"AnAnchoredKey", "&k name: 1\nof: *k\n", R"([{"name":1,"of":"name"}])"},
        {"Json", R"({"a": {"b": ["c", 1, null]}})", R"([{"a":{"b":["c",1,null]}}])"},
    }),
    [](const auto& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Refused, ParseYamlTest,
    testing::ValuesIn(std::vector<Case>{
        {"AKeyTwice", "a: 1\nb: 2\na: 3\n", "line 3: the key \"a\" is there twice"},
        {"AKeyThatIsAList", "? [a]\n: b\n", "line 1: a key is no word"},
        {"AKeyThatIsNull", "a: 1\n~: 1\n", "line 2: a key is no word"},
        {"AKeyThatIsAnAlias", "a: &x k\n*x : 1\n", "line 2: a key is no word"},
        {"AnAliasThatHoldsItself", "a: &x\n  - *x\n", "line 2: an alias holds itself"},
        {"AnAliasOfNothing", "a: *x\n", "line 1: the referenced anchor is not defined"},
        {"AnAliasOfAnotherDocument", "a: &x 1\n---\nb: *x\n",
         "line 3: the referenced anchor is not defined"},
        {"NoValue", ",", "line 1: no value begins like this"},
        {"NoValueInALaterDocument", "a: 1\n---\n, b", "line 3: no value begins like this"},
        {"AnUnfinishedList", "a: [1, 2\n", "line 2: end of sequence flow not found"},
    }),
    [](const auto& instance) { return instance.param.name; });

std::string lists(std::size_t depth, const std::string& innermost = "") {
  return std::string(depth, '[') + innermost + std::string(depth, ']');
}

TEST(ParseYamlBoundsTest, DepthWithAndWithoutAliases) {
  EXPECT_TRUE(parse_yaml(lists(64)));
  EXPECT_EQ(shown_documents(lists(65)), "line 1: nested too deeply");
  const std::string anchored = "a: &x " + lists(40) + "\nb: ";
  EXPECT_TRUE(parse_yaml(anchored + lists(23, "*x")));
  EXPECT_EQ(shown_documents(anchored + lists(24, "*x")), "line 2: nested too deeply");
}

TEST(ParseYamlBoundsTest, AliasesOfAliases) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string number = std::to_string(i);
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + number + ": &a" + number + " [" + before;
    for (int k = 1; k < 10; ++k) text += ", " + before;
    text += "]\n";
  }
  EXPECT_EQ(shown_documents(text), "line 5: aliases make too much of this text");
}

TEST(PrintYamlTest, ReadsBackAsItWas) {
  const Json value = {{"a", {{"b", {1, 2.5, nullptr, true}}}},
                      {"number", "12"},
                      {"empty", ""},
                      {"list", Json::array()},
                      {"text", "two\nlines: #no"}};
  EXPECT_EQ(shown_documents(print_yaml(value)), to_text(Json::array({value})));
}

}  // namespace
}  // namespace weft
