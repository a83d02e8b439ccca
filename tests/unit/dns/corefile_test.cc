#include "dns/corefile.h"

#include <map>

#include <gtest/gtest.h>

#include "support/must.h"

namespace weft::dns {
namespace {

using weft::test::must;

// The environment and the files of a test.
struct Surroundings {
  std::map<std::string, std::string> environment = {};
  std::map<std::string, std::string> files = {};

  CorefileSources sources() const {
    return {
        .environment = [this](const std::string& name) -> std::optional<std::string> {
          const auto found = environment.find(name);
          return found == environment.end() ? std::nullopt : std::optional(found->second);
        },
        .import = [this](const std::string& pattern) -> Result<std::vector<CorefileSources::File>> {
          std::vector<CorefileSources::File> found;
          const std::string prefix = pattern.substr(0, pattern.find('*'));
          for (const auto& [name, text] : files)
            if (name == pattern || (prefix != pattern && name.starts_with(prefix)))
              found.push_back({name, text});
          return found;
        }};
  }
};

Result<Corefile> parse(const std::string& text, const Surroundings& around = {}) {
  return parse_corefile({"Corefile", text}, around.sources(), 53);
}

// As text: each block's zones, then its lines with their words in brackets.
void print(const CorefileLine& line, std::string& text) {
  text += line.name;
  for (const auto& word : line.words) text += "[" + word + "]";
  if (line.block.empty()) return;
  text += "{";
  for (const auto& inner : line.block) {
    print(inner, text);
    text += ";";
  }
  text += "}";
}
std::string printed(const Result<Corefile>& file) {
  if (!file) return file.error().text();
  std::string text;
  for (const auto& block : *file) {
    for (const auto& zone : block.zones) {
      for (const auto& name : zone.names) text += name.to_string() + " ";
      if (zone.port) text += ":" + std::to_string(*zone.port) + " ";
    }
    text += "( ";
    for (const auto& plugin : block.plugins) {
      print(plugin, text);
      text += " ";
    }
    text += ") ";
  }
  return text;
}

TEST(Corefile, IsBlocksOfLinesOfWords) {
  EXPECT_EQ(printed(parse("")), "");
  EXPECT_EQ(printed(parse("# nothing\n")), "");
  EXPECT_EQ(printed(parse(".:53 {\n  errors\n  cache 30 # seconds\n}\n")),
            ". :53 ( errors cache[30] ) ");
  EXPECT_EQ(printed(parse("a.org:54, b.org,\nC.org dns://d.org {\n}\ne {\n x {\n y z\n }\n w\n}")),
            "a.org. :54 b.org. c.org. d.org. ( ) e. ( x{y[z];} w ) ");
  EXPECT_EQ(printed(parse("\xef\xbb\xbf. {\r\n log \"a b\" \"c\\\"d\" \"}\"\r\n}\r\n")),
            ". ( log[a b][c\"d][}] ) ");
  EXPECT_EQ(printed(parse("10.96.0.0/14 fd00::/8:1053 {\n}")),
            "96.10.in-addr.arpa. 97.10.in-addr.arpa. 98.10.in-addr.arpa. 99.10.in-addr.arpa. "
            "d.f.ip6.arpa. :1053 ( ) ");
}

TEST(Corefile, WithoutBracesItIsOneBlock) {
  EXPECT_EQ(printed(parse(".:5300\nerrors\nforward . 10.0.0.1 {\n except a\n}\n")),
            ". :5300 ( errors forward[.][10.0.0.1]{except[a];} ) ");
}

TEST(Corefile, TheEnvironmentIsPutIn) {
  const Surroundings around{.environment = {{"ZONE", "cluster.local"}, {"A", "{$ZONE}"}}};
  EXPECT_EQ(printed(parse("{$ZONE}:{%PORT%}53 {\n x a{$ZONE}b {$A} \"{%ZONE%}\" {$NO}\n}", around)),
            "cluster.local. :53 ( x[acluster.localb][{$ZONE}][cluster.local][] ) ");
}

TEST(Corefile, SnippetsAndFilesAreImported) {
  const Surroundings around{.files = {{"custom/a.override", "log\n"},
                                      {"custom/b.override", "errors\nimport s\n"},
                                      {"more", "b {\n whoami\n}\n"}}};
  EXPECT_EQ(printed(parse("(s) {\n  cache 30\n  any\n}\na {\n  import s\n  import s\n  x\n}\n")),
            "a. ( cache[30] any cache[30] any x ) ");
  EXPECT_EQ(printed(parse("(s) {\n cache\n}\na {\n import custom/*.override\n x\n}\nimport more\n",
                          around)),
            "a. ( log errors cache x ) b. ( whoami ) ");
  EXPECT_EQ(printed(parse("a {\n import none/*.override\n}\n")), "a. ( ) ")
      << "a pattern may match nothing";
}

TEST(Corefile, AMistakeIsNamedWithItsLine) {
  const Surroundings around{.files = {{"self", "import self\n"}, {"bad", "x \"\n"}}};
  const std::pair<const char*, const char*> cases[] = {
      {". {\n errors\n", "Corefile:1: the server block has no closing brace"},
      {". {\n}\n}\n", "Corefile:3: a server block begins with its zones, not with a brace"},
      {".\n errors\n}\n", "Corefile:1: a closing brace without an opening one in the block"},
      {". {\n}\nb\nerrors\n", "Corefile:3: the server block has no opening brace"},
      {". {\n cache {\n success 1\n}\n", "Corefile:1: the server block has no closing brace"},
      {". {\n log \"abc\n}\n", "Corefile:2: a quote begins here and has no end"},
      {"a:x {\n}", "Corefile:1: \"a:x\" has no port behind its colon"},
      {"a:0 {\n}", "Corefile:1: \"a:0\" has no port behind its colon"},
      {"a..b {\n}", "Corefile:1: \"a..b\" is no zone"},
      {"tls://a {\n}", "Corefile:1: \"tls://a\": tls:// is not served; serve the zone as dns://"},
      {"a {\n}\nb\n{\n}\nA.:53 {\n}",
       "Corefile:6: the zone a. at port 53 has a server block already, at Corefile:1"},
      {"a {\n import\n}", "Corefile:2: import names neither a snippet nor a file"},
      {"a {\n import x\n}", "Corefile:2: import: there is no snippet and no file \"x\""},
      {"import self\n",
       "self:1: import of \"self\" leads deeper than any Corefile should: does it import itself?"},
      {"(s) {\n import s\n}\na {\n import s\n}\n",
       "Corefile:2: import of \"s\" leads deeper than any Corefile should: does it import itself?"},
      {"a {\n import bad\n}", "bad:1: a quote begins here and has no end"},
      {"(s)\n", "Corefile:1: the snippet \"(s)\" has no block"},
      {"(s) {\n a\n", "Corefile:1: the snippet \"(s)\" has no closing brace"},
      {"a {\n {\n }\n}", "Corefile:2: a brace opens here behind nothing"},
      {"a {\n b {\nc {\nd {\ne {\nf {\ng {\nh {\ni {\nj\n}}}}}}}}}",
       "Corefile:10: braces within braces, deeper than any plugin's"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(printed(parse(text, around)), error) << text;
}

TEST(Corefile, ALineKnowsWhereItStands) {
  const Corefile file = must(parse("\n. {\n\n errors\n}"));
  EXPECT_EQ(file[0].head.place(), "Corefile:2");
  EXPECT_EQ(file[0].plugins[0].place(), "Corefile:4");
  EXPECT_EQ(file[0].plugins[0].fault("why", "do").value().text(), "Corefile:4: why; do");
}

}  // namespace
}  // namespace weft::dns
