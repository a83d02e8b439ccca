// Named after flannel's pkg/ip tests where there is one.
#include "net/address.h"

#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

IpAddress ip(const std::string& text) {
  return *IpAddress::parse(text);
}
Prefix net(const std::string& text) {
  return *Prefix::parse(text);
}

TEST(IpAddressTest, TestIP4) {
  const IpAddress address = ip("1.2.3.4");
  EXPECT_EQ(address, IpAddress::v4(0x01020304));
  EXPECT_EQ(address.v4_number(), 0x01020304U);
  EXPECT_EQ(address.to_string(), "1.2.3.4");
  EXPECT_EQ(address.bytes(), std::string_view("\1\2\3\4", 4));
  EXPECT_EQ(IpAddress::from_bytes(address.bytes()), address);
}

TEST(IpAddressTest, TestIP6) {
  const IpAddress address = ip("fd00:0:0:0:0:0:0:1");
  EXPECT_EQ(address.to_string(), "fd00::1");
  EXPECT_EQ(address.family(), Family::kIpv6);
  EXPECT_EQ(IpAddress::from_bytes(address.bytes()), address);
}

TEST(IpAddressTest, Refused) {
  for (const std::string text :
       {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4/24",
        "::g", ":::", "fe80::1%eth0", "1::2::3", "12345::", "a"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0x", 9)));
  for (const std::size_t size : {0U, 3U, 5U, 15U, 17U})
    EXPECT_FALSE(IpAddress::from_bytes(std::string(size, 'x'))) << size;
}

struct KindCase {
  std::string text;
  bool unspecified, loopback, multicast, link_local;
};

TEST(IpAddressTest, Kinds) {
  for (const auto& kind : std::vector<KindCase>{
           {"0.0.0.0", true, false, false, false},
           {"::", true, false, false, false},
           {"127.9.0.1", false, true, false, false},
           {"::1", false, true, false, false},
           {"224.0.0.1", false, false, true, false},
           {"239.255.255.255", false, false, true, false},
           {"240.0.0.0", false, false, false, false},
           {"ff02::1", false, false, true, false},
           {"169.254.1.1", false, false, false, true},
           {"169.253.1.1", false, false, false, false},
           {"fe80::1", false, false, false, true},
           {"febf::1", false, false, false, true},
           {"fec0::1", false, false, false, false},
           {"10.0.0.1", false, false, false, false},
       }) {
    const IpAddress address = ip(kind.text);
    EXPECT_EQ(address.is_unspecified(), kind.unspecified) << kind.text;
    EXPECT_EQ(address.is_loopback(), kind.loopback) << kind.text;
    EXPECT_EQ(address.is_multicast(), kind.multicast) << kind.text;
    EXPECT_EQ(address.is_link_local(), kind.link_local) << kind.text;
  }
}

TEST(IpAddressTest, PlusCarriesAndEndsAtTheRange) {
  EXPECT_EQ(ip("10.0.0.255").plus(1), ip("10.0.1.0"));
  EXPECT_EQ(ip("10.0.0.0").plus(0x10000), ip("10.1.0.0"));
  EXPECT_EQ(ip("255.255.255.255").plus(0), ip("255.255.255.255"));
  EXPECT_FALSE(ip("255.255.255.255").plus(1));
  EXPECT_FALSE(ip("10.0.0.0").plus(1ULL << 32U));
  EXPECT_EQ(ip("fd00::ffff:ffff:ffff:ffff").plus(1), ip("fd00:0:0:1::"));
  EXPECT_FALSE(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").plus(1));
}

TEST(IpAddressTest, OrderIsFamilyThenNumber) {
  const std::vector<IpAddress> ordered{ip("9.0.0.0"), ip("10.0.0.0"), ip("255.0.0.0"),
                                       ip("::"),      ip("1::"),      ip("fd00::")};
  for (std::size_t i = 1; i < ordered.size(); ++i) EXPECT_LT(ordered[i - 1], ordered[i]);
  EXPECT_NE(ip("0.0.0.0"), ip("::"));
  const std::unordered_set<IpAddress> set(ordered.begin(), ordered.end());
  EXPECT_EQ(set.size(), ordered.size());
}

TEST(PrefixTest, TestIP4Net) {
  const Prefix prefix = net("10.1.2.3/16");
  EXPECT_EQ(prefix.to_string(), "10.1.0.0/16") << "host bits are masked";
  EXPECT_EQ(prefix.last(), ip("10.1.255.255"));
  EXPECT_EQ(prefix.next(), net("10.2.0.0/16"));
  EXPECT_TRUE(prefix.contains(ip("10.1.7.7")));
  EXPECT_FALSE(prefix.contains(ip("10.2.0.0")));
  EXPECT_FALSE(prefix.contains(ip("::10.1.0.0")));
  EXPECT_FALSE(net("255.255.255.0/24").next());
  EXPECT_TRUE(net("0.0.0.0/0").is_default());
}

TEST(PrefixTest, TestIP6Net) {
  const Prefix prefix = net("fd00:12:13:14::1/56");
  EXPECT_EQ(prefix.to_string(), "fd00:12:13::/56");
  EXPECT_EQ(prefix.next(), net("fd00:12:13:100::/56"));
  EXPECT_TRUE(prefix.contains(ip("fd00:12:13:ff::1")));
  EXPECT_FALSE(prefix.contains(ip("fd00:12:14::")));
  EXPECT_TRUE(net("::/0").is_default());
  EXPECT_FALSE(net("::/64").is_default());
}

TEST(PrefixTest, MaskedAtEveryLength) {
  const IpAddress ones = ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  for (unsigned length = 0; length <= 128; ++length) {
    const Prefix prefix(ones, static_cast<std::uint8_t>(length));
    EXPECT_EQ(prefix.last(), ones);
    EXPECT_TRUE(prefix.contains(ones));
    EXPECT_EQ(Prefix::parse(prefix.to_string()), prefix);
  }
  EXPECT_EQ(net("255.255.255.255/19").address(), ip("255.255.224.0"));
  EXPECT_EQ(Prefix::host(ip("10.0.0.1")).to_string(), "10.0.0.1/32");
  EXPECT_EQ(Prefix::host(ip("fd00::1")).to_string(), "fd00::1/128");
}

struct PairCase {
  std::string a, b;
  bool contains, overlaps;
};

TEST(PrefixTest, TestContainsCIDR) {
  for (const auto& pair : std::vector<PairCase>{
           {"10.244.0.0/16", "10.244.1.0/24", true, true},
           {"10.244.1.0/24", "10.244.0.0/16", false, true},
           {"10.244.0.0/16", "10.244.0.0/16", true, true},
           {"10.244.0.0/16", "10.245.0.0/24", false, false},
           {"0.0.0.0/0", "10.0.0.0/8", true, true},
           {"fd00::/48", "fd00:0:0:1::/64", true, true},
           {"fd00::/48", "fd00:0:1::/64", false, false},
           {"fd00:0:0:1::/64", "fd00::/48", false, true},
           {"0.0.0.0/0", "::/0", false, false},
           {"::/0", "0.0.0.0/0", false, false},
       }) {
    EXPECT_EQ(net(pair.a).contains(net(pair.b)), pair.contains) << pair.a << " " << pair.b;
    EXPECT_EQ(net(pair.a).overlaps(net(pair.b)), pair.overlaps) << pair.a << " " << pair.b;
    EXPECT_EQ(net(pair.b).overlaps(net(pair.a)), pair.overlaps) << pair.a << " " << pair.b;
  }
}

TEST(PrefixTest, Refused) {
  for (const std::string text :
       {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/024", "10.0.0.0/+8",
        "10.0.0/8", "/8", "fd00::/129", "fd00::/64/64", "10.0.0.0/8 "}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
    EXPECT_FALSE(InterfaceAddress::parse(text)) << text;
  }
}

TEST(InterfaceAddressTest, KeepsItsHostBits) {
  const auto address = InterfaceAddress::parse("10.4.1.1/24");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->to_string(), "10.4.1.1/24");
  EXPECT_EQ(address->network(), net("10.4.1.0/24"));
}

TEST(MacAddressTest, ParsesAndPrints) {
  const auto mac = MacAddress::parse("AA:bb:0c:00:ee:F0");
  ASSERT_TRUE(mac);
  EXPECT_EQ(mac->to_string(), "aa:bb:0c:00:ee:f0");
  EXPECT_EQ(MacAddress::from_bytes({reinterpret_cast<const char*>(mac->bytes.data()), 6}), mac);
  EXPECT_TRUE(MacAddress::parse("00:00:00:00:00:00")->is_zero());
  for (const std::string text :
       {"", "aa:bb:cc:dd:ee", "aa:bb:cc:dd:ee:ff:00", "aa-bb-cc-dd-ee-ff", "aabb.ccdd.eeff",
        "aa:bb:cc:dd:ee:fg", "a:bb:cc:dd:ee:fff", "+a:bb:cc:dd:ee:ff", "aa:bb:cc:dd:ee:ff "})
    EXPECT_FALSE(MacAddress::parse(text)) << text;
  EXPECT_FALSE(MacAddress::from_bytes("12345"));
}

// flannel's TestNewHardwareAddr.
TEST(MacAddressTest, RandomOnesAreUnicastAndLocal) {
  for (const std::uint64_t random : {0ULL, ~0ULL, 0x0123456789abcdefULL}) {
    const auto mac = MacAddress::from_random(random);
    EXPECT_EQ(mac.bytes[0] & 3U, 2U) << mac.to_string();
  }
  EXPECT_NE(MacAddress::from_random(0x100), MacAddress::from_random(0x200));
}

}  // namespace
}  // namespace weft
