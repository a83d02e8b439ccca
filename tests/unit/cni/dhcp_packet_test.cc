#include "cni/plugins/dhcp_packet.h"

#include <gtest/gtest.h>

namespace weft::cni {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

std::string bytes_of(const std::vector<int>& numbers) {
  std::string bytes;
  for (const int number : numbers) bytes += static_cast<char>(number);
  return bytes;
}

DhcpPacket ack() {
  return {.is_reply = true,
          .transaction = 0x01020304,
          .yours = ip("10.0.0.7"),
          .mac = *MacAddress::parse("02:00:00:00:00:07"),
          .options = {{DhcpOption::kMessageType, bytes_of({5})},
                      {DhcpOption::kSubnetMask, bytes_of({255, 255, 255, 0})},
                      {DhcpOption::kServer, bytes_of({10, 0, 0, 1})}}};
}

TEST(DhcpPacketTest, IsLaidOutAsRfc2131Says) {
  DhcpPacket packet = ack();
  packet.seconds = 0x0506;
  packet.broadcast = true;
  packet.client = ip("10.0.0.9");
  const std::string bytes = encode(packet);
  EXPECT_EQ(bytes.size(), 300U);
  EXPECT_EQ(bytes.substr(0, 12), bytes_of({2, 1, 6, 0, 1, 2, 3, 4, 5, 6, 0x80, 0}));
  EXPECT_EQ(bytes.substr(12, 8), bytes_of({10, 0, 0, 9, 10, 0, 0, 7}));
  EXPECT_EQ(bytes.substr(28, 7), bytes_of({2, 0, 0, 0, 0, 7, 0}));
  EXPECT_EQ(bytes.substr(236, 4), bytes_of({0x63, 0x82, 0x53, 0x63}));
  EXPECT_EQ(bytes.substr(240, 6), bytes_of({1, 4, 255, 255, 255, 0}));
  EXPECT_EQ(decode_dhcp(bytes).value(), packet);
}

TEST(DhcpPacketTest, LongOptionsAreSplitAndJoined) {
  DhcpPacket packet = ack();
  packet.options[DhcpOption::kClasslessRoutes] = std::string(600, 'x');
  packet.options[DhcpOption::kHostName] = "";
  EXPECT_EQ(decode_dhcp(encode(packet)).value(), packet);
}

TEST(DhcpPacketTest, OptionsMayStandInTheFieldsForNames) {
  DhcpPacket packet = ack();
  packet.options[DhcpOption::kOverload] = bytes_of({3});
  std::string bytes = encode(packet);
  const std::string in_file = bytes_of({3, 4, 10, 0, 0, 1, 255});
  const std::string in_name = bytes_of({12, 2, 'm', 'e', 255});
  bytes.replace(108, in_file.size(), in_file);
  bytes.replace(44, in_name.size(), in_name);
  const auto read = decode_dhcp(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->address(DhcpOption::kRouter), ip("10.0.0.1"));
  EXPECT_EQ(read->options.at(DhcpOption::kHostName), "me");
}

TEST(DhcpPacketTest, WhatIsNoMessageIsRefused) {
  const std::string good = encode(ack());
  struct {
    const char* what;
    std::string bytes;
  } cases[] = {
      {"nothing", ""},
      {"cut short", good.substr(0, 239)},
      {"another cookie", std::string(good).replace(236, 1, "x")},
      {"no Ethernet", std::string(good).replace(1, 1, bytes_of({6}))},
      {"a longer address", std::string(good).replace(2, 1, bytes_of({16}))},
      {"an option without a length", good.substr(0, 240) + bytes_of({12})},
      {"an option cut short", good.substr(0, 240) + bytes_of({12, 5, 'a'})},
  };
  for (const auto& c : cases) EXPECT_FALSE(decode_dhcp(c.bytes)) << c.what;
}

TEST(DhcpPacketTest, TypesOutsideOfTheStandardAreNone) {
  DhcpPacket packet = ack();
  EXPECT_EQ(packet.type(), DhcpType::kAck);
  for (const auto& value : {bytes_of({0}), bytes_of({9}), bytes_of({5, 5}), std::string()}) {
    packet.options[DhcpOption::kMessageType] = value;
    EXPECT_EQ(packet.type(), std::nullopt);
  }
}

// From a client's port to a server's; what comes back is turned round.
std::string answer_with(const std::string& message) {
  std::string packet = enclose(message, {.from = ip("10.0.0.1"), .to = ip("10.0.0.7")});
  packet.replace(20, 4, bytes_of({0, 67, 0, 68}));
  return packet;
}

TEST(DhcpPacketTest, IsEnclosedInUdpAndIp) {
  const std::string packet = enclose("odd", {.from = ip("0.0.0.0"), .to = ip("255.255.255.255")});
  EXPECT_EQ(packet.substr(0, 10), bytes_of({0x45, 0, 0, 31, 0, 0, 0, 0, 64, 17}));
  EXPECT_EQ(packet.substr(20, 6), bytes_of({0, 68, 0, 67, 0, 11}));
  // The ports are swapped, so the sum stays what it was.
  EXPECT_EQ(disclose(answer_with("odd"), false), "odd");
  EXPECT_EQ(disclose(answer_with(""), false), "");
  EXPECT_EQ(disclose(answer_with("odd") + "padding", false), "odd");
}

TEST(DhcpPacketTest, PacketsThatAreNotForUsOrBrokenAreNotOpened) {
  const std::string good = answer_with("message");
  const auto with = [&](std::size_t at, int value) {
    return std::string(good).replace(at, 1, bytes_of({value}));
  };
  struct {
    const char* what;
    std::string packet;
  } cases[] = {
      {"nothing", ""},
      {"cut short", good.substr(0, 30)},
      {"another port", with(23, 69)},
      {"a header that is too long", with(0, 0x4f)},
      {"a broken header", with(8, 63)},
      {"a broken message", with(30, 'x')},
      {"a length that is too long", with(25, 200)},
      {"IPv6", with(0, 0x65)},
  };
  for (const auto& c : cases) EXPECT_EQ(disclose(c.packet, false), std::nullopt) << c.what;
  EXPECT_NE(disclose(with(30, 'x'), true), std::nullopt);  // the sum was never filled in
}

TEST(DhcpLeaseTest, TimesHaveDefaultsAndAnOrder) {
  struct {
    DhcpOptions options;
    std::uint32_t seconds, renew, rebind;
  } cases[] = {
      {{}, 3600, 1800, 3150},
      {{{DhcpOption::kLeaseTime, as_option(800)}}, 800, 400, 700},
      {{{DhcpOption::kLeaseTime, as_option(800)},
        {DhcpOption::kRenewalTime, as_option(100)},
        {DhcpOption::kRebindingTime, as_option(200)}},
       800,
       100,
       200},
      {{{DhcpOption::kLeaseTime, as_option(800)},
        {DhcpOption::kRenewalTime, as_option(900)},
        {DhcpOption::kRebindingTime, as_option(5000)}},
       800,
       800,
       800},
      {{{DhcpOption::kLeaseTime, as_option(0xffffffff)}}, 0xffffffff, 0x7fffffff, 0xe0000000},
  };
  for (const auto& c : cases) {
    DhcpPacket packet = ack();
    packet.options.insert(c.options.begin(), c.options.end());
    const auto lease = lease_of(packet);
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->seconds, c.seconds);
    EXPECT_EQ(lease->renew_after, c.renew);
    EXPECT_EQ(lease->rebind_after, c.rebind);
  }
}

std::string shown_routes(const DhcpOptions& options) {
  DhcpPacket packet = ack();
  packet.options.insert(options.begin(), options.end());
  std::string text;
  const DhcpLease lease = lease_of(packet).value();
  for (const auto& route : lease.routes)
    text += route.destination.to_string() + " " +
            (route.gateway ? route.gateway->to_string() : "on the link") +
            (route.scope ? " " + std::to_string(*route.scope) : "") + "; ";
  return text;
}

TEST(DhcpLeaseTest, Routes) {
  const std::string router = bytes_of({10, 0, 0, 1});
  const std::string classful = bytes_of({172, 16, 0, 0, 10, 0, 0, 2, 9, 0, 0, 0, 10, 0, 0, 3});
  const std::string classless =
      bytes_of({0, 10, 0, 0, 4, 20, 172, 16, 16, 10, 0, 0, 5, 32, 1, 2, 3, 4, 0, 0, 0, 0});
  EXPECT_EQ(shown_routes({}), "");
  EXPECT_EQ(shown_routes({{DhcpOption::kRouter, router}}), "0.0.0.0/0 10.0.0.1; ");
  EXPECT_EQ(shown_routes({{DhcpOption::kRouter, router}, {DhcpOption::kStaticRoutes, classful}}),
            "172.16.0.0/16 10.0.0.2; 9.0.0.0/8 10.0.0.3; 0.0.0.0/0 10.0.0.1; ");
  EXPECT_EQ(shown_routes({{DhcpOption::kRouter, router},
                          {DhcpOption::kStaticRoutes, classful},
                          {DhcpOption::kClasslessRoutes, classless}}),
            "0.0.0.0/0 10.0.0.4; 172.16.16.0/20 10.0.0.5; 1.2.3.4/32 on the link 253; ");
  // What cannot be read ends the list.
  EXPECT_EQ(shown_routes({{DhcpOption::kClasslessRoutes, classless.substr(0, 7)}}),
            "0.0.0.0/0 10.0.0.4; ");
  EXPECT_EQ(shown_routes({{DhcpOption::kClasslessRoutes, bytes_of({33, 1, 2, 3, 4, 5, 6, 7, 8})}}),
            "");
}

TEST(DhcpLeaseTest, WithoutAnAddressOrAMaskThereIsNone) {
  DhcpPacket without_address = ack();
  without_address.yours = {};
  DhcpPacket without_mask = ack();
  without_mask.options.erase(DhcpOption::kSubnetMask);
  DhcpPacket with_holes = ack();
  with_holes.options[DhcpOption::kSubnetMask] = bytes_of({255, 0, 255, 0});
  for (const auto& packet : {without_address, without_mask, with_holes})
    EXPECT_FALSE(lease_of(packet));
  EXPECT_EQ(lease_of(without_mask).error().what, "DHCP option Subnet Mask not found in DHCPACK");
}

}  // namespace
}  // namespace weft::cni
