#include "dns/name.h"

#include <gtest/gtest.h>

namespace weft::dns {
namespace {

using namespace std::string_view_literals;

std::string repeated(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

TEST(Name, IsReadAndPrinted) {
  struct Case {
    std::string_view text;
    std::string_view wire;
    std::string printed;
  };
  const Case cases[] = {
      {".", "\0"sv, "."},
      {"a", "\1a\0"sv, "a."},
      {"a.", "\1a\0"sv, "a."},
      {"_http._tcp.Web.ns", "\5_http\4_tcp\3Web\2ns\0"sv, "_http._tcp.Web.ns."},
      {"a\\.b.c", "\3a.b\1c\0"sv, "a\\.b.c."},
      {"a\\\\b", "\3a\\b\0"sv, "a\\\\b."},
      {"a\\000\\255", "\3a\0\xff\0"sv, "a\\000\\255."},
      {"*", "\1*\0"sv, "*."},
  };
  for (const auto& [text, wire, printed] : cases) {
    const auto name = Name::parse(text);
    ASSERT_TRUE(name) << text;
    EXPECT_EQ(name->wire(), wire) << text;
    EXPECT_EQ(name->to_string(), printed);
    EXPECT_EQ(Name::parse(name->to_string()), name);
  }
}

TEST(Name, OfImpossibleTextThereIsNone) {
  const std::string label = repeated("x", 63);
  const std::string longest = label + "." + label + "." + label + "." + repeated("x", 61);
  EXPECT_TRUE(Name::parse(label));
  EXPECT_EQ(Name::parse(longest)->wire().size(), kLongestName);
  for (const std::string& text :
       {std::string(), std::string(".."), std::string(".a"), std::string("a..b"), label + "x",
        longest + "x", std::string("a\\"), std::string("a\\25"), std::string("a\\256"),
        std::string("a\\2x5")})
    EXPECT_FALSE(Name::parse(text)) << text;
}

TEST(Name, FromTheWireTakesExactlyOneName) {
  EXPECT_TRUE(Name::from_wire("\1a\0"sv));
  for (const auto bytes :
       {""sv, "\1"sv, "\1a"sv, "\1a\0\0"sv, "\x40"sv, "\xc0\x0c"sv, "\1a\xc0\x0c"sv})
    EXPECT_FALSE(Name::from_wire(bytes));
}

TEST(Name, ComparesWithoutCase) {
  EXPECT_EQ(Name::parse("Kubernetes.DEFAULT"), Name::parse("kubernetes.default."));
  EXPECT_FALSE(*Name::parse("a.b") == *Name::parse("a\\.b"));
  EXPECT_EQ(Name::parse("AbC.De")->lowered().to_string(), "abc.de.");
}

TEST(Name, KnowsWhatIsBelowIt) {
  const Name zone = *Name::parse("cluster.local");
  for (const char* inside : {"cluster.local", "x.CLUSTER.local", "a.b.cluster.local"})
    EXPECT_TRUE(zone.contains(*Name::parse(inside))) << inside;
  for (const char* outside :
       {"local", "xcluster.local", "cluster.local.x", "a\\.cluster.local", "."})
    EXPECT_FALSE(zone.contains(*Name::parse(outside))) << outside;
  EXPECT_TRUE(Name().contains(zone));
}

TEST(Name, IsPutTogether) {
  const Name zone = *Name::parse("svc");
  EXPECT_EQ(zone.child("a")->to_string(), "a.svc.");
  EXPECT_FALSE(zone.child(""));
  EXPECT_FALSE(zone.child(repeated("x", 64)));
  EXPECT_EQ(Name::parse("a.b")->in(zone)->to_string(), "a.b.svc.");
  const Name longest = *Name::parse(repeated("xxxxxxx.", 31) + "xxxx");
  EXPECT_FALSE(longest.in(*Name::parse("ab")));
  EXPECT_FALSE(longest.child("a"));
}

TEST(ExpandName, FollowsPointersBackwards) {
  // A header's worth of bytes, "a.b." at 12, "c" and a pointer to "b" at 17.
  const std::string message = std::string(12, '\0') + "\1a\1b" + '\0' + "\1c\xc0\x0e" + "rest";
  ExpandedName name;
  ASSERT_TRUE(expand_name(message, 12, name));
  EXPECT_EQ(name.wire(), "\1a\1b\0"sv);
  EXPECT_EQ(name.end, 17U);
  ASSERT_TRUE(expand_name(message, 17, name));
  EXPECT_EQ(name.wire(), "\1c\1b\0"sv);
  EXPECT_EQ(name.end, 21U);
}

TEST(ExpandName, RefusesWhatLeadsNowhere) {
  const std::string header(12, '\0');
  const std::string cases[] = {
      "",                        // nothing
      "\1",                      // half a label
      "\1a",                     // no end
      "\xc0",                    // half a pointer
      "\xc0\x0c",                // to itself
      "\xc0\x0e",                // forward
      "\1a\xc0\x0c",             // to its own front
      std::string("\xc0\0", 2),  // into the header
      "\x40",                    // a reserved kind of label
      "\x80",                    // the other one
  };
  for (const std::string& bytes : cases) {
    ExpandedName name;
    EXPECT_FALSE(expand_name(header + bytes, header.size(), name));
  }
  // Longer than a name may be, by pointers: each adds 64 bytes to the one before.
  std::string message = header + '\0';
  std::size_t last = 12;
  std::string shown;
  for (int i = 0; i < 4; ++i) {
    const std::size_t at = message.size();
    message += std::string(1, '\x3f') + std::string(63, 'x');
    message += {static_cast<char>(0xc0U | last >> 8U), static_cast<char>(last)};
    last = at;
    ExpandedName name;
    shown += expand_name(message, at, name) ? '+' : '-';
  }
  EXPECT_EQ(shown, "+++-");
}

TEST(ReverseName, IsThatOfItsAddress) {
  const std::pair<const char*, const char*> cases[] = {
      {"10.96.0.1", "1.0.96.10.in-addr.arpa."},
      {"2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."},
  };
  for (const auto& [text, reverse] : cases) {
    const IpAddress address = *IpAddress::parse(text);
    const Name name = reverse_name(address);
    EXPECT_EQ(name.to_string(), reverse);
    EXPECT_EQ(address_of_reverse_name(name.wire()), address);
  }
  for (const char* text : {"in-addr.arpa", "0.96.10.in-addr.arpa", "1.1.0.96.10.in-addr.arpa",
                           "256.0.96.10.in-addr.arpa", "01.0.96.10.in-addr.arpa",
                           "x.0.96.10.in-addr.arpa", "1.0.0.ip6.arpa", "1.0.96.10.cluster.local"})
    EXPECT_FALSE(address_of_reverse_name(Name::parse(text)->wire())) << text;
}

TEST(ReverseZones, OfANetworkThatEndsInsideOfALabelThereAreSeveral) {
  const auto zones = [](const char* network) {
    std::string text;
    for (const Name& zone : reverse_zones(*Prefix::parse(network))) text += zone.to_string() + " ";
    return text;
  };
  EXPECT_EQ(zones("10.0.0.0/8"), "10.in-addr.arpa. ");
  EXPECT_EQ(zones("10.4.0.0/16"), "4.10.in-addr.arpa. ");
  EXPECT_EQ(zones("10.96.0.0/14"),
            "96.10.in-addr.arpa. 97.10.in-addr.arpa. 98.10.in-addr.arpa. 99.10.in-addr.arpa. ");
  EXPECT_EQ(zones("fd00::/8"), "d.f.ip6.arpa. ");
  EXPECT_EQ(zones("fd00::/7"), "c.f.ip6.arpa. d.f.ip6.arpa. ");
  EXPECT_EQ(zones("0.0.0.0/0"), "in-addr.arpa. ");
}

}  // namespace
}  // namespace weft::dns
