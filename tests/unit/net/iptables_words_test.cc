#include "net/iptables_words.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(IptablesWords, QuotesAndEscapesHoldTogether) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(iptables_words("-s 10.0.0.0/8  -j RETURN").value(),
            (Words{"-s", "10.0.0.0/8", "-j", "RETURN"}));
  EXPECT_EQ(iptables_words("--comment \"a \\\"b\\\" c\"").value(),
            (Words{"--comment", "a \"b\" c"}));
  EXPECT_EQ(iptables_words("'one word' \"\" it\\'s").value(), (Words{"one word", "", "it's"}));
  EXPECT_EQ(iptables_words("").value(), Words{});
  EXPECT_FALSE(iptables_words("--comment \"open"));
  EXPECT_FALSE(iptables_words("'open"));
}

TEST(IptablesWords, ARuleIsTheSameInEveryOrderOfItsConditions) {
  const std::string_view rule =
      "-d 10.96.0.10/32 -p udp -m comment --comment \"a b\" -m udp --dport 80 -j CHAIN";
  EXPECT_TRUE(same_rule(rule, rule));
  EXPECT_TRUE(same_rule(
      rule, "-d 10.96.0.10/32 -p udp -m udp --dport 80 -m comment --comment \"a b\" -j CHAIN"));
  EXPECT_TRUE(
      same_rule(rule, "-p udp -d 10.96.0.10/32 -m comment --comment 'a b' --dport 80 -j CHAIN"));
  for (const char* other :
       {"-d 10.96.0.11/32 -p udp -m comment --comment \"a b\" -m udp --dport 80 -j CHAIN",
        "! -d 10.96.0.10/32 -p udp -m comment --comment \"a b\" -m udp --dport 80 -j CHAIN",
        "-d 10.96.0.10/32 ! -p udp -m comment --comment \"a b\" -m udp --dport 80 -j CHAIN",
        "-d 10.96.0.10/32 -p udp -m comment --comment \"b a\" -m udp --dport 80 -j CHAIN",
        "-d 10.96.0.10/32 -p udp -m comment --comment \"a b\" -m udp --dport 80 -g CHAIN",
        "-d 10.96.0.10/32 -p udp -m comment --comment \"a b\" -m udp --dport 80", "",
        "--comment \"open"})
    EXPECT_FALSE(same_rule(rule, other)) << other;
}

}  // namespace
}  // namespace weft
