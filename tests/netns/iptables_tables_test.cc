// iptables over netlink beside stock iptables-nft: what one writes the other reads, to the byte.
#include "kernel/iptables_tables.h"

#include <array>

#include <gtest/gtest.h>

#include "base/process.h"
#include "kernel/iptables_nft_codec.h"
#include "kernel/iptables_save.h"
#include "netns/fresh_netns.h"
#include "support/must.h"

namespace weft {
namespace {

using test::in_fresh_netns;
using test::must;

struct Line {
  const char* table;
  const char* words;
};
constexpr std::array kIpv4{
    Line{"nat", "-s 10.0.0.0/24 -p tcp -m tcp --dport 80 -j TARGET"},
    Line{"nat", "-s 10.0.0.5/32 -d 10.32.0.0/11 -p udp -m udp --dport 53 -j TARGET"},
    Line{"nat",
         "! -s 10.0.0.0/8 ! -d 224.0.0.0/4 -m comment --comment \"name: \\\"n\\\" id: "
         "\\\"c1\\\"\" -j MASQUERADE"},
    Line{"nat", "-d 10.1.2.0/24 -m comment --comment plain_words-1 -j ACCEPT"},
    Line{"nat", "-m addrtype --dst-type LOCAL -j TARGET"},
    Line{"nat", "-m addrtype ! --src-type LOCAL -j TARGET"},
    Line{"nat",
         "-p tcp -m comment --comment \"dnat name: \\\"n\\\" id: \\\"c\\\"\" -m multiport "
         "--dports 80,81,8080 -j TARGET"},
    Line{"nat", "-p sctp -m sctp --dport 80 -j DNAT --to-destination 10.0.0.5:8080"},
    Line{"nat", "-d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080"},
    Line{"nat",
         "-m comment --comment \"CNI portfwd masquerade mark\" -j MARK --set-xmark "
         "0x2000/0x2000"},
    Line{"nat", "-m mark --mark 0x2000/0x2000 -j MASQUERADE"},
    Line{"nat", "-m mark ! --mark 0x1 -j RETURN"},
    Line{"filter", "-i br0 ! -o br0 -j TARGET"},
    Line{"filter", "-s 10.0.0.0/24 -d 10.1.0.0/16 -i cni+ -o eth0 -p tcp -j DROP"},
    Line{"filter", "-d 10.0.0.5/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"},
    Line{"filter", "-m conntrack ! --ctstate INVALID,NEW -j RETURN"},
};
constexpr std::array kIpv6{
    Line{"nat", "-s fd00::/64 -p tcp -m tcp --dport 80 -j DNAT --to-destination [fd00::1]:8080"},
    Line{"nat", "! -d ff00::/8 -m comment --comment x -j MASQUERADE"},
    Line{"filter", "-s fd00::5/128 -i br0 -o br0 -p udp -m udp --dport 9 -j DROP"},
};

std::string program(Family family, const char* part) {
  return (family == Family::kIpv4 ? "iptables-nft" : "ip6tables-nft") + std::string(part);
}
void restore(Family family, const std::string& script) {
  must(run_or_fail({.argv = {program(family, "-restore"), "--noflush"}, .input = script}));
}
std::vector<std::string> saved(Family family, const std::string& table, const std::string& chain) {
  const std::string output = must(run_or_fail({.argv = {program(family, "-save"), "-t", table}}));
  return must(kernel::parse_iptables_save(output))[table].chains[chain].rules;
}
nft::Rule only_rule(Family family, const std::string& table) {
  auto nftables = must(kernel::Nftables::open());
  const auto contents = must(nftables.read(kernel::iptables_nft::table_id(family, table)));
  EXPECT_EQ(contents->rules.at("CHAIN").size(), 1U);
  return contents->rules.at("CHAIN").at(0);
}
std::string shown(const nft::Rule& rule) {
  std::string text;
  for (const auto& expression : rule.expressions) {
    text += std::to_string(expression.index());
    if (const auto* opaque = std::get_if<nft::Opaque>(&expression))
      for (const unsigned char byte : opaque->data) text += " " + std::to_string(byte);
    text += "\n";
  }
  return text;
}

void compare(Family family, const Line& line) {
  in_fresh_netns([&](kernel::Rtnetlink&) {
    SCOPED_TRACE(line.words);
    restore(family, std::string("*") + line.table + "\n:CHAIN - [0:0]\n:TARGET - [0:0]\n-A CHAIN " +
                        line.words + "\nCOMMIT\n");
    ASSERT_EQ(saved(family, line.table, "CHAIN"), std::vector<std::string>{line.words});
    const nft::Rule theirs = only_rule(family, line.table);
    const IptablesRule rule = kernel::iptables_nft::decode(theirs, family);
    EXPECT_EQ(rule.words(), line.words);
    ASSERT_TRUE(rule.is_understood());
    EXPECT_EQ(kernel::iptables_nft::encode(rule, family), theirs)
        << shown(theirs) << "but ours\n"
        << shown(kernel::iptables_nft::encode(rule, family));
    // Theirs goes, ours comes, and stock iptables cannot tell.
    const kernel::IptablesScope scope{family, line.table, {"CHAIN"}};
    must(kernel::IptablesAccess::open().change(scope, [&](const PresentChains& present) {
      IptablesPlan plan(present);
      plan.drop_rules("CHAIN", [&](const PresentRule& one) { return one.words == line.words; });
      return plan.edits();
    }));
    EXPECT_EQ(saved(family, line.table, "CHAIN"), std::vector<std::string>{});
    must(kernel::IptablesAccess::open().change(scope, [&](const PresentChains& present) {
      IptablesPlan plan(present);
      plan.need_rule("CHAIN", rule, IptablesPlan::Place::kEnd, "owner");
      return plan.edits();
    }));
    EXPECT_EQ(saved(family, line.table, "CHAIN"), std::vector<std::string>{line.words});
    EXPECT_EQ(only_rule(family, line.table), theirs);
    EXPECT_EQ(only_rule(family, line.table).owner, "owner");
    restore(family, std::string("*") + line.table + "\n-D CHAIN " + line.words + "\nCOMMIT\n");
    EXPECT_EQ(saved(family, line.table, "CHAIN"), std::vector<std::string>{});
  });
}

TEST(IptablesTables, RulesAreThoseOfStockIptablesNft) {
  for (const Line& line : kIpv4) compare(Family::kIpv4, line);
  for (const Line& line : kIpv6) compare(Family::kIpv6, line);
}

std::string ruleset() {
  return must(run_or_fail({.argv = {"nft", "--debug=netlink", "list", "ruleset"}}));
}

TEST(IptablesTables, BuiltInChainsAreMadeAsIptablesMakesThem) {
  for (const auto& [table, chain] : {std::pair{"nat", "PREROUTING"},
                                     {"nat", "INPUT"},
                                     {"nat", "OUTPUT"},
                                     {"nat", "POSTROUTING"},
                                     {"filter", "INPUT"},
                                     {"filter", "FORWARD"},
                                     {"filter", "OUTPUT"}}) {
    std::string theirs;
    in_fresh_netns([&, table = table, chain = chain](kernel::Rtnetlink&) {
      must(run_or_fail({.argv = {"iptables-nft", "-t", table, "-A", chain, "-j", "ACCEPT"}}));
      theirs = ruleset();
    });
    in_fresh_netns([&, table = table, chain = chain](kernel::Rtnetlink&) {
      must(kernel::IptablesAccess::open().change(
          {Family::kIpv4, table, {chain}}, [&](const PresentChains& present) {
            IptablesPlan plan(present);
            plan.need_rule(chain, {.target = iptables::Jump{"ACCEPT"}},
                           IptablesPlan::Place::kFront);
            return plan.edits();
          }));
      EXPECT_EQ(ruleset(), theirs);
    });
  }
}

}  // namespace
}  // namespace weft
