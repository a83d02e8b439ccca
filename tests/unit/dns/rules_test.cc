// The plugins `template`, `acl` and `header`, from their lines in a Corefile to answers.
#include <array>

#include <gtest/gtest.h>

#include "dns/acl_plugin.h"
#include "dns/header_plugin.h"
#include "dns/responder.h"
#include "dns/template_plugin.h"
#include "support/must.h"
#include "unit/dns/packets.h"

namespace weft::dns {
namespace {

using test::text_of;
using weft::test::must;

// Answers what nobody else has answered.
class Rest : public Plugin {
 public:
  Step serve(Exchange& exchange) override {
    exchange.fail(Rcode::kNotImplemented, ExtendedError::kOther, "");
    return Step::kReply;
  }
};
constexpr const char* kNobody = "NOTIMP";

BlockOptions options_of(const std::string& plugins) {
  const std::string text = "cluster.local example.com {\n" + plugins + "\n}\n";
  const auto file = must(parse_corefile({.name = "Corefile", .text = text}, {}, 53));
  return must(read_plugins(file))[0];
}

class RulesTest : public ::testing::Test {
 protected:
  void start(const std::string& plugins) {
    const BlockOptions options = options_of(plugins);
    std::vector<Name> zones;
    for (const CorefileZone& zone : options.zones)
      zones.insert(zones.end(), zone.names.begin(), zone.names.end());
    ServerBlock block{.zones = zones};
    if (options.header) block.plugins.push_back(std::make_unique<HeaderPlugin>(*options.header));
    for (AclOptions each : options.acl) {
      if (each.zones.empty()) each.zones = zones;
      block.plugins.push_back(std::make_unique<AclPlugin>(each));
    }
    for (TemplateOptions each : options.templates) {
      if (each.zones.empty()) each.zones = zones;
      block.plugins.push_back(std::make_unique<TemplatePlugin>(each));
    }
    block.plugins.push_back(std::make_unique<Rest>());
    std::vector<ServerBlock> blocks;
    blocks.push_back(std::move(block));
    responder_ = std::make_unique<Responder>(std::move(blocks), Responder::Options{});
  }
  std::string ask(const char* name, RecordType type = RecordType::kA,
                  const char* client = "10.4.0.1") {
    std::array<char, kLargestMessage> room;
    const std::string asked = test::edns_query(name, type);
    const std::size_t size =
        responder_->handle(asked, {.address = *IpAddress::parse(client), .port = 1}, room);
    last_ = {room.data(), size};
    return size == 0 ? "dropped" : text_of(last_);
  }

  std::unique_ptr<Responder> responder_;
  std::string last_;
};

TEST_F(RulesTest, ATemplateAnswersNoDataForAType) {
  start("template ANY AAAA {\n rcode NOERROR\n}");
  EXPECT_EQ(ask("www.example.com", RecordType::kAaaa), "NOERROR aa");
  EXPECT_EQ(ask("www.example.com", RecordType::kA), kNobody);
}

TEST_F(RulesTest, ATemplateDeniesAZone) {
  start(
      "template IN ANY local.example.com {\n"
      " rcode NXDOMAIN\n"
      " authority \"{{ .Zone }} 60 IN SOA ns.{{ .Zone }} host.{{ .Zone }} (1 60 60 60 60)\"\n"
      " ederror 15 \"not here\"\n"
      "}");
  EXPECT_EQ(ask("a.LOCAL.example.com", RecordType::kMx),
            "NXDOMAIN aa\nauth LOCAL.example.com. 60 IN SOA ns.local.example.com. "
            "host.local.example.com. 1 60 60 60 60");
  EXPECT_NE(last_.find("not here"), std::string::npos);
  EXPECT_EQ(ask("www.example.com"), kNobody);
}

TEST_F(RulesTest, ATemplateMakesRecordsOfTheName) {
  start(
      "template IN A example.com {\n"
      " match "
      "(^|[.])ip-(?P<a>[0-9]*)-(?P<b>[0-9]*)-(?P<c>[0-9]*)-(?P<d>[0-9]*)[.]example[.]com[.]$\n"
      " answer \"{{ .Name }} 60 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d "
      "}}\"\n"
      " additional \"{{ .Type }}.{{ .Class }} 60 IN TXT {{ .Remote }} {{ index .Match 2 }}\"\n"
      " fallthrough\n"
      "}");
  EXPECT_EQ(ask("IP-192-0-2-1.example.com"),
            "NOERROR aa\nIP-192-0-2-1.example.com. 60 IN A 192.0.2.1\n"
            "add A.IN. 60 IN TXT \"10.4.0.1\" \"192\"");
  EXPECT_EQ(ask("www.example.com"), kNobody) << "falls through";
  EXPECT_EQ(ask("ip-300-0-2-1.example.com"), "SERVFAIL") << "no address";
  EXPECT_EQ(ask("ip-1-2-3-4.cluster.local"), kNobody) << "another zone";
}

TEST_F(RulesTest, WithoutFallthroughWhatDoesNotMatchFails) {
  start("template IN A {\n match ^a[.]\n answer \"{{ .Name }} 1 IN A 192.0.2.1\"\n}");
  EXPECT_EQ(ask("a.example.com"), "NOERROR aa\na.example.com. 1 IN A 192.0.2.1");
  EXPECT_EQ(ask("b.example.com"), "SERVFAIL");
}

TEST_F(RulesTest, AnAliasOfATemplateIsFollowed) {
  start(
      "template IN A example.com {\n match ^from[.]\n fallthrough\n"
      " answer \"{{ .Name }} 1 IN CNAME to.example.com\"\n}\n"
      "template IN A example.com {\n match ^to[.]\n fallthrough\n"
      " answer \"{{ .Name }} 2 IN A 192.0.2.1\"\n}");
  EXPECT_EQ(ask("from.example.com"),
            "NOERROR aa\nfrom.example.com. 1 IN CNAME to.example.com.\n"
            "to.example.com. 2 IN A 192.0.2.1");
}

TEST_F(RulesTest, TheFirstRuleThatFitsCounts) {
  start(
      "acl {\n allow net 10.4.0.0/24\n block type A AAAA net 10.4.0.0/16 192.0.2.7\n"
      " filter type TXT\n drop net fd00::/8\n}");
  EXPECT_EQ(ask("a.example.com", RecordType::kA, "10.4.0.1"), kNobody);
  EXPECT_EQ(ask("a.example.com", RecordType::kA, "10.4.1.1"), "REFUSED");
  EXPECT_NE(last_.find("(acl)"), std::string::npos);
  EXPECT_EQ(ask("a.example.com", RecordType::kAaaa, "192.0.2.7"), "REFUSED");
  EXPECT_EQ(ask("a.example.com", RecordType::kMx, "10.4.1.1"), kNobody);
  EXPECT_EQ(ask("a.example.com", RecordType::kTxt, "10.4.1.1"), "NOERROR");
  EXPECT_EQ(ask("a.example.com", RecordType::kTxt, "10.4.0.1"), kNobody);
  EXPECT_EQ(ask("a.example.com", RecordType::kA, "fd00::1"), "dropped");
  EXPECT_EQ(ask("a.example.com", RecordType::kA, "2001:db8::1"), kNobody);
}

TEST_F(RulesTest, ARuleIsForItsZonesAlone) {
  start("acl example.com {\n block\n}\nacl a.cluster.local {\n drop type *\n}");
  EXPECT_EQ(ask("x.example.com"), "REFUSED");
  EXPECT_EQ(ask("a.cluster.local"), "dropped");
  EXPECT_EQ(ask("b.cluster.local"), kNobody);
}

TEST_F(RulesTest, FlagsOfAnswersAreSetAndCleared) {
  const std::string answer = "template IN A {\n answer \"{{ .Name }} 1 IN A 192.0.2.1\"\n}\n";
  const auto flags = [&](const std::string& lines) {
    start(answer + (lines.empty() ? "" : "header {\n" + lines + "\n}"));
    ask("a.example.com");
    const Header header = Header::read(last_);
    return std::string(header.authoritative ? "aa " : "") +
           (header.recursion_available ? "ra " : "") + (header.recursion_desired ? "rd" : "");
  };
  EXPECT_EQ(flags(""), "aa ra rd");
  EXPECT_EQ(flags("clear aa ra"), "rd");
  EXPECT_EQ(flags("response clear rd"), "aa ra ");
  EXPECT_EQ(flags("clear aa\nset aa"), "aa ra rd") << "the last line counts";
}

TEST(Rules, AMistakeIsNamedWithItsLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"template IN", "Corefile:2: template needs 2 words behind it"},
      {"template CH TXT", "Corefile:2: template: names of class \"CH\" are not served"},
      {"template IN B", "Corefile:2: template: there is no record type \"B\""},
      {"template IN A {\n match (\n}", "Corefile:3: template: \"(\" is no regular expression"},
      {"template IN A {\n answer \"{{ .Nam }} 1 IN A 1.2.3.4\"\n}",
       "Corefile:3: template: {{ .Nam }} is not served"},
      {"template IN A {\n answer \"{{ .Name 1 IN A 1.2.3.4\"\n}", "has no }} at its end"},
      {"template IN A {\n rcode NXDOMAN\n}", "Corefile:3: template: there is no rcode"},
      {"template IN A {\n anwser x\n}", "did you mean answer?"},
      {"header", "header needs a block"},
      {"header {\n set\n}", "Corefile:3: header: set needs 1 word behind it"},
      {"header {\n set aaa\n}", "there is no flag \"aaa\"; did you mean aa?"},
      {"header {\n response put aa\n}", "is neither set nor clear"},
      {"header {\n query set rd\n}", "flags of queries are not changed"},
      {"acl {\n allow type B\n}", "Corefile:3: acl: there is no record type \"B\""},
      {"acl {\n block net 10.0.0.0/40\n}", "is no network like 10.0.0.0/8"},
      {"acl {\n block 10.0.0.0/8\n}", "stands behind neither type nor net"},
      {"acl {\n blok\n}", "did you mean block?"},
      {"transfer", "Corefile:2: transfer has nobody to transfer to; add `to` with addresses, or *"},
      {"transfer {\n to everybody\n}",
       "Corefile:3: transfer: \"everybody\" is no address, no network and not *"},
      {"transfer {\n from *\n}", "transfer has no option \"from\""}};
  for (const auto& [plugin, expected] : cases) {
    const std::string text = std::string(". {\n") + plugin + "\n}\n";
    const auto file = must(parse_corefile({.name = "Corefile", .text = text}, {}, 53));
    const auto read = read_plugins(file);
    ASSERT_FALSE(read) << plugin;
    EXPECT_NE(read.error().text().find(expected), std::string::npos) << read.error().text();
  }
}

}  // namespace
}  // namespace weft::dns
