#include "cni/expression.h"

#include <gtest/gtest.h>

namespace weft::cni {
namespace {

bool matches(const char* expression, const char* text) {
  const auto parsed = Expression::parse(expression);
  EXPECT_TRUE(parsed) << expression << ": " << parsed.error().what;
  return parsed && parsed->matches(text);
}

TEST(ExpressionTest, MatchesAsGoDoes) {
  struct {
    const char* expression;
    const char* text;
    bool matches;
  } const cases[] = {
      {"", "", true},
      {"", "x", true},
      {"net.ipv4", "net.ipv4.conf", true},
      {"net\\.ipv4", "net/ipv4", false},
      {"net.ipv4", "net/ipv4", true},
      {"^ipv4", "net.ipv4", false},
      {"ipv4$", "net.ipv4", true},
      {"^net\\.ipv4\\.conf\\.(all|IFNAME)\\.log_martians$", "net.ipv4.conf.IFNAME.log_martians",
       true},
      {"^net\\.ipv4\\.conf\\.(all|IFNAME)\\.log_martians$", "net.ipv4.conf.eth0.log_martians",
       false},
      {"^net\\.ipv4\\.conf\\.[a-z]*\\.log_martians$", "net.ipv4.conf.all.log_martians", true},
      {"^net\\.ipv4\\.conf\\.[a-z]*\\.log_martians$", "net.ipv4.conf.eth0.log_martians", false},
      {"^[^.]+$", "a.b", false},
      {"^[]a]+$", "a]a", true},
      {"^[a-]+$", "a-a", true},
      {"^a{2,3}$", "a", false},
      {"^a{2,3}$", "aaa", true},
      {"^a{2,3}$", "aaaa", false},
      {"^a{2}$", "aa", true},
      {"^(ab){2,}$", "ababab", true},
      {"^(ab){2,}$", "aba", false},
      {"^(?:a|b)?c$", "c", true},
      {"^(?:a|b)?c$", "abc", false},
      {"^(a|b|cd)+$", "cdab", true},
      {"^eth\\d+$", "eth12", true},
      {"^eth\\d+$", "eth", false},
      {"^[\\d.]+$", "1.2", true},
      {"^\\D+$", "abc", true},
      {"\\bipv4\\b", "net.ipv4.x", true},
      {"\\bipv4\\b", "net.ipv46.x", false},
      {"\\Anet\\z", "net", true},
      {"^(a*)*$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false},
      {"^(a|aa)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false},
      {"^a.*?b$", "axxb", true},
      {"a|", "", true},
      {"()", "", true},
  };
  for (const auto& c : cases)
    EXPECT_EQ(matches(c.expression, c.text), c.matches) << c.expression << " on " << c.text;
}

TEST(ExpressionTest, Refusals) {
  for (const char* text :
       {"(",  ")",      "a)",  "[",      "[a",       "[z-a]",       "*",       "a**",
        "+",  "?",      "{2}", "a{3,2}", "a{",       "a{x}",        "a{1001}", "(a{1000}){1000}",
        "\\", "\\p{L}", "\\1", "(?i)a",  "(?P<x>a)", "[[:alpha:]]", "a{,3}",   "[\\"})
    EXPECT_FALSE(Expression::parse(text)) << text;
  EXPECT_FALSE(Expression::parse(std::string(100, '(') + std::string(100, ')')));
  EXPECT_FALSE(Expression::parse(std::string(100'000, '|')));
  EXPECT_FALSE(Expression::parse(std::string(100'000, 'a')));
}

}  // namespace
}  // namespace weft::cni
