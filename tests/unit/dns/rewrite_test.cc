// The plugin `rewrite`: which question stands for which, and whose name the answer bears.
#include "dns/rewrite.h"

#include <gtest/gtest.h>

#include "dns/kubernetes_plugin.h"
#include "unit/dns/clusters.h"
#include "unit/dns/forwarding.h"

namespace weft::dns {
namespace {

using test::text_of;
using weft::test::DnsUpstream;
using weft::test::must;

std::vector<RewriteRule> rules_of(const std::string& lines) {
  const std::string text = ". {\n" + lines + "\n}\n";
  const auto file = must(parse_corefile({.name = "Corefile", .text = text}, {}, 53));
  return must(read_plugins(file))[0].rewrites;
}

// "NAME TYPE", with "restored" where the answer is; "as it is".
std::string rewritten(const std::string& lines, const char* name, RecordType type) {
  const std::string asked = test::query(name, type);
  const LookupName lookup(read_query(asked).query.name);
  const auto question = rewrite(rules_of(lines), lookup, type);
  if (!question) return "as it is";
  return question->name.to_string() + " " + to_string(question->type) +
         (question->restores_answer ? " restored" : "");
}
std::string rewritten(const std::string& lines, const char* name) {
  return rewritten(lines, name, RecordType::kA);
}

TEST(Rewrite, ANameByEachKindOfRule) {
  struct Case {
    const char* rule;
    const char* name;
    const char* expected;
  };
  const Case cases[] = {
      {"rewrite name a.example b.example", "A.example", "b.example. A restored"},
      {"rewrite name exact a.example. b.example", "a.example", "b.example. A restored"},
      {"rewrite name exact a.example b.example", "x.a.example", "as it is"},
      {"rewrite name prefix api- web.", "api-x.example", "web.x.example. A"},
      {"rewrite name prefix api- web.", "x.api-x.example", "as it is"},
      {"rewrite name suffix .old.example .new.example", "x.old.example", "x.new.example. A"},
      {"rewrite name suffix .old.example .new.example answer auto", "x.old.example",
       "x.new.example. A restored"},
      {"rewrite name substring old new", "old.gold.example", "new.gnew.example. A"},
      {"rewrite name regex (.*)-(us)\\.example {2}.{1}.example", "web-us.example",
       "us.web.example. A"},
      {"rewrite name regex (.*)-(us)\\.example {2}.{1}.example", "web-eu.example", "as it is"},
      {"rewrite name suffix .example ..", "a.example", "as it is"},
      {"rewrite stop {\n name regex ^(.*)\\.x\\.$ {1}.y answer auto\n}", "a.x", "a.y. A restored"}};
  for (const Case& each : cases)
    EXPECT_EQ(rewritten(each.rule, each.name), each.expected) << each.rule;
}

TEST(Rewrite, ATypeAndOneRuleAfterAnother) {
  EXPECT_EQ(rewritten("rewrite type ANY HINFO", "a", RecordType::kAny), "a. HINFO");
  EXPECT_EQ(rewritten("rewrite type ANY HINFO", "a", RecordType::kA), "as it is");
  const std::string two = "rewrite name a b\nrewrite name b c";
  EXPECT_EQ(rewritten(two, "a"), "b. A restored") << "the first that fits is the last";
  EXPECT_EQ(rewritten("rewrite continue name a b\nrewrite name b c", "a"), "c. A restored");
  EXPECT_EQ(rewritten("rewrite continue name a b\nrewrite name b a", "a"), "as it is");
}

TEST(Rewrite, AMistakeIsNamedWithItsLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"rewrite", "rewrite needs a field"},
      {"rewrite nam a b", "is not served; did you mean name?"},
      {"rewrite name a", "rewrite name needs exact, prefix"},
      {"rewrite name exakt a b", "rewrite name needs exact, prefix"},
      {"rewrite name suffix a b answer", "rewrite name suffix takes two texts"},
      {"rewrite name regex ( b", "is no regular expression"},
      {"rewrite type A", "takes two record types"},
      {"rewrite type A B", "there is no record type \"B\""}};
  for (const auto& [line, expected] : cases) {
    const std::string text = std::string(". {\n") + line + "\n}\n";
    const auto file = must(parse_corefile({.name = "Corefile", .text = text}, {}, 53));
    const auto read = read_plugins(file);
    ASSERT_FALSE(read) << line;
    EXPECT_NE(read.error().text().find("Corefile:2: "), std::string::npos) << read.error().text();
    EXPECT_NE(read.error().text().find(expected), std::string::npos) << read.error().text();
  }
}

class RewritingTest : public test::Forwarding {
 protected:
  RewritingTest() {
    ZoneBuilder builder(test::zone_options());
    builder.put(test::cluster_service("shop", "web", {"10.96.0.10"}));
    builder.put(test::external_service("shop", "out", "www.example.com"));
    builder.set_complete();
    zones_.set(builder.zone(1));
  }
  void start_with_rules(const std::string& lines, const DnsUpstream& upstream) {
    rewrites_ = rules_of(lines);
    front_.push_back(std::make_unique<KubernetesPlugin>(zones_, Fallthrough{}));
    start({&upstream}, {.budget = std::chrono::milliseconds(300)});
  }

  Published<ClusterZone> zones_{std::make_shared<const ClusterZone>()};
  const DnsUpstream upstream_{test::always("192.0.2.1")};
};

TEST_F(RewritingTest, TheAnswerBearsTheNameThatWasAsked) {
  start_with_rules(
      "rewrite name Web.example web.shop.svc.cluster.local\n"
      "rewrite name suffix .auto .shop.svc.cluster.local answer auto\n"
      "rewrite name suffix .bare .shop.svc.cluster.local",
      upstream_);
  EXPECT_EQ(ask("WEB.example"), "NOERROR aa\nWEB.example. 30 IN A 10.96.0.10");
  EXPECT_EQ(ask("web.auto"), "NOERROR aa\nweb.auto. 30 IN A 10.96.0.10");
  EXPECT_EQ(ask("web.bare"), "NOERROR aa\nweb.shop.svc.cluster.local. 30 IN A 10.96.0.10");
  EXPECT_TRUE(ask("none.auto").starts_with("NXDOMAIN aa\nauth cluster.local. 30 IN SOA"));
  EXPECT_EQ(ask("other.example"), "NOERROR\nother.example. 60 IN A 192.0.2.1");
}

TEST_F(RewritingTest, WhatIsForwardedAndAliasesAreRestoredToo) {
  start_with_rules(
      "rewrite name inside.example outside.example\n"
      "rewrite name alias.example out.shop.svc.cluster.local",
      upstream_);
  EXPECT_EQ(ask("inside.example"), "NOERROR\ninside.example. 60 IN A 192.0.2.1");
  EXPECT_EQ(ask("alias.example"),
            "NOERROR aa\nalias.example. 30 IN CNAME www.example.com.\n"
            "www.example.com. 60 IN A 192.0.2.1");
}

TEST_F(RewritingTest, RulesAndAliasesInACircleEnd) {
  start_with_rules("rewrite name www.example.com out.shop.svc.cluster.local", upstream_);
  EXPECT_EQ(ask("www.example.com"),
            "NOERROR aa\nwww.example.com. 30 IN CNAME www.example.com.\n"
            "www.example.com. 60 IN A 192.0.2.1");
}

TEST_F(RewritingTest, AFailureKeepsItsReason) {
  const DnsUpstream silent(test::silence);
  start_with_rules("rewrite name a.example b.example", silent);
  EXPECT_EQ(ask("a.example"), "SERVFAIL");
  EXPECT_NE(last_.find("no answer from 127.0.0.1"), std::string::npos);
}

}  // namespace
}  // namespace weft::dns
