// Packets as bytes: checksums, the IPv4 parser, and what senders are told.
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "overlay/udp/checksum.h"
#include "overlay/udp/icmp_error.h"
#include "overlay/udp/rate_limit.h"
#include "support/packets.h"

namespace weft::overlay::udp {
namespace {

using test::Ipv4Fields;
using test::PacketBytes;

// RFC 1071 as it is written down: words in network order.
std::uint16_t checksum_by_the_book(const PacketBytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2)
    sum += static_cast<std::uint32_t>(bytes[i] << 8U) + (i + 1 < bytes.size() ? bytes[i + 1] : 0U);
  while (sum > 0xffff) sum = (sum >> 16U) + (sum & 0xffffU);
  return static_cast<std::uint16_t>(~sum);
}

TEST(Checksum, IsThatOfTheBookAtEverySizeAndPlace) {
  std::mt19937 random(1);
  PacketBytes pool(300);
  for (auto& byte : pool) byte = static_cast<std::uint8_t>(random());
  for (std::size_t size = 0; size <= 200; ++size)
    for (std::size_t from = 0; from < 17; ++from) {
      const PacketBytes bytes(pool.begin() + static_cast<std::ptrdiff_t>(from),
                              pool.begin() + static_cast<std::ptrdiff_t>(from + size));
      std::uint8_t stored[2];
      store_checksum(stored, checksum_of(add_bytes(0, {&pool[from], size})));
      ASSERT_EQ(load16(stored), checksum_by_the_book(bytes)) << size << " bytes from " << from;
    }
}

TEST(Checksum, LosesNoCarry) {
  const PacketBytes ones(65536, 0xff);
  EXPECT_EQ(fold(add_bytes(0, ones)), 0xffff);
  EXPECT_EQ(fold(~std::uint64_t{0}), 0xffff);
  EXPECT_EQ(fold(0xffff'ffff'0000'0001), 1);
}

TEST(Checksum, AddsUpInPieces) {
  const PacketBytes bytes = test::counted(1001);
  const std::span<const std::uint8_t> all(bytes);
  EXPECT_EQ(checksum_of(add_bytes(add_bytes(0, all.first(400)), all.subspan(400))),
            checksum_of(add_bytes(0, all)));
}

struct Spoilt {
  const char* name;
  void (*spoil)(PacketBytes& packet);
};

TEST(Ipv4Packet, IsRefusedWhenItIsNotExactlyOne) {
  const std::vector<Spoilt> cases{
      {"Empty", [](PacketBytes& packet) { packet.clear(); }},
      {"Header cut off", [](PacketBytes& packet) { packet.resize(19); }},
      {"Payload cut off", [](PacketBytes& packet) { packet.pop_back(); }},
      {"Bytes behind it", [](PacketBytes& packet) { packet.push_back(0); }},
      {"IPv6", [](PacketBytes& packet) { packet[0] = 0x65; }},
      {"Version 0", [](PacketBytes& packet) { packet[0] = 0x05; }},
      {"Header of 16 bytes", [](PacketBytes& packet) { packet[0] = 0x44; }},
      {"Header longer than the packet",
       [](PacketBytes& packet) {
         packet = test::ipv4({}, {});
         packet[0] = 0x46;
         checksum_ipv4_header(packet);
       }},
      {"Wrong checksum", [](PacketBytes& packet) { packet[15] ^= 1; }}};
  for (const auto& each : cases) {
    PacketBytes packet = test::udp({}, test::counted(40));
    ASSERT_TRUE(Ipv4Packet::parse(packet));
    each.spoil(packet);
    EXPECT_FALSE(Ipv4Packet::parse(packet)) << each.name;
  }
}

TEST(Ipv4Packet, KeepsItsChecksumRightWhenItLosesAHop) {
  for (unsigned ttl = 255; ttl > 0; --ttl)
    for (std::uint16_t id = 0; id < 600; ++id) {
      PacketBytes bytes = test::ipv4({.ttl = static_cast<std::uint8_t>(ttl), .id = id}, {1, 2});
      Ipv4Packet::parse(bytes)->decrement_ttl();
      const auto after = Ipv4Packet::parse(bytes);
      ASSERT_TRUE(after) << "TTL " << ttl << ", id " << id;
      EXPECT_EQ(after->ttl(), ttl - 1);
    }
}

TEST(Ipv4Packet, TellsFragments) {
  const auto fragment = [](std::uint16_t bits) {
    static PacketBytes bytes;
    bytes = test::ipv4({.fragment = bits}, {1});
    return *Ipv4Packet::parse(bytes);
  };
  EXPECT_FALSE(fragment(0x4000).is_fragment());
  EXPECT_TRUE(fragment(0x2000).is_fragment());
  EXPECT_FALSE(fragment(0x2000).is_later_fragment());
  EXPECT_TRUE(fragment(0x00b9).is_later_fragment());
  EXPECT_TRUE(fragment(0x4000).dont_fragment());
  EXPECT_FALSE(fragment(0x2000).dont_fragment());
}

TEST(IcmpError, QuotesThePacketAndSaysWhy) {
  PacketBytes bytes = test::udp({}, test::counted(1400));
  const auto error = icmp_error(IcmpReason::kTooBig, *Ipv4Packet::parse(bytes), 1300);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->to, 0x0af40101U);
  EXPECT_EQ(error->message[0], 3);
  EXPECT_EQ(error->message[1], 4);
  EXPECT_EQ(load16(&error->message[6]), 1300);
  EXPECT_EQ(20 + error->size, 576U);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.begin() + IcmpError::kMostQuoted,
                         error->message.begin() + 8));
  EXPECT_EQ(fold(add_bytes(0, {error->message.data(), error->size})), 0xffff);

  const auto unreachable = icmp_error(IcmpReason::kNetUnreachable, *Ipv4Packet::parse(bytes));
  EXPECT_EQ(unreachable->message[0], 3);
  EXPECT_EQ(unreachable->message[1], 0);
  const auto exceeded = icmp_error(IcmpReason::kTtlExceeded, *Ipv4Packet::parse(bytes));
  EXPECT_EQ(exceeded->message[0], 11);
  EXPECT_EQ(exceeded->message[1], 0);
}

struct Case {
  const char* about;
  Ipv4Fields fields;
  PacketBytes payload;
  bool told;
};

TEST(IcmpError, IsMadeOnlyWhereItMayBe) {
  const std::vector<Case> cases{
      {"a small packet", {}, {}, true},
      {"an echo request", {.protocol = 1}, {8, 0, 0, 0}, true},
      {"an ICMP error", {.protocol = 1}, {3, 1, 0, 0}, false},
      {"time exceeded", {.protocol = 1}, {11, 0, 0, 0}, false},
      {"a redirect", {.protocol = 1}, {5, 0, 0, 0}, false},
      {"an ICMP message without a type", {.protocol = 1}, {}, false},
      {"a first fragment", {.fragment = 0x2000}, {1, 2, 3}, true},
      {"a later fragment", {.fragment = 0x0010}, {1, 2, 3}, false},
      {"to a group", {.destination = 0xe0000001}, {}, false},
      {"to all", {.destination = 0xffffffff}, {}, false},
      {"from nobody", {.source = 0}, {}, false},
      {"from loopback", {.source = 0x7f000001}, {}, false},
  };
  for (const auto& each : cases) {
    PacketBytes bytes = test::ipv4(each.fields, each.payload);
    EXPECT_EQ(icmp_error(IcmpReason::kTtlExceeded, *Ipv4Packet::parse(bytes)).has_value(),
              each.told)
        << each.about;
  }
}

TEST(RateLimiter, LetsABurstAndThenARatePass) {
  using std::chrono::milliseconds;
  RateLimiter limiter(1000, 5);
  RateLimiter::Clock::time_point now{std::chrono::hours(1)};
  const auto passes = [&] {
    int count = 0;
    while (count < 100 && limiter.allows(now)) ++count;
    return count;
  };
  EXPECT_EQ(passes(), 5);
  now += milliseconds(3);
  EXPECT_EQ(passes(), 3);
  now += std::chrono::hours(1);
  EXPECT_EQ(passes(), 5);
}

}  // namespace
}  // namespace weft::overlay::udp
