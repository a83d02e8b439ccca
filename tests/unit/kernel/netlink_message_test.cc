#include "kernel/netlink_message.h"

#include <gtest/gtest.h>

namespace weft::kernel {
namespace {

constexpr std::uint16_t kType = 5;

std::string attribute(std::uint16_t length, std::uint16_t type, std::string_view payload) {
  const nlattr header{.nla_len = length, .nla_type = type};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  return bytes += payload;
}

TEST(NetlinkMessage, WhatIsWrittenReadsBack) {
  Request request(77, NLM_F_ACK);
  request.header(std::uint32_t{42});
  request.u8(1, 8).u16(2, 16).u32(3, 32).u64(4, 64).be16(5, 1).be32(6, 2).be64(7, 3);
  request.string(8, "name").bytes(9, std::string_view("\0x", 2)).s32(10, -5).flag(11);
  request.nest(12, [](Request& inside) { inside.u32(1, 9); });
  request.plain_nest(13, [](Request& inside) { inside.string(1, "in"); });
  std::string_view datagram = request.message();
  Message message;
  ASSERT_TRUE(take_message(datagram, message));
  EXPECT_TRUE(datagram.empty());
  EXPECT_EQ(message.header.nlmsg_type, 77);
  const auto opened = message.open<std::uint32_t>();
  ASSERT_TRUE(opened);
  const auto& [header, attributes] = *opened;
  EXPECT_EQ(header, 42U);
  EXPECT_EQ(attributes.u8(1), 8);
  EXPECT_EQ(attributes.u16(2), 16);
  EXPECT_EQ(attributes.u32(3), 32U);
  EXPECT_EQ(attributes.u64(4), 64U);
  EXPECT_EQ(attributes.find(5), std::string_view("\0\1", 2));
  EXPECT_EQ(attributes.be16(5), 1);
  EXPECT_EQ(attributes.be32(6), 2U);
  EXPECT_EQ(attributes.be64(7), 3U);
  EXPECT_EQ(attributes.string(8), "name");
  EXPECT_EQ(attributes.find(9), std::string_view("\0x", 2));
  EXPECT_EQ(attributes.s32(10), -5);
  EXPECT_TRUE(attributes.has(11));
  EXPECT_EQ(attributes.nested(12).u32(1), 9U);
  EXPECT_EQ(attributes.nested(13).string(1), "in");
  EXPECT_FALSE(attributes.has(14));
}

TEST(NetlinkMessage, AttributesThatClaimMoreThanIsThereEndTheReading) {
  const std::string good = attribute(8, 1, "abcd");
  const std::string tails[] = {
      "",
      "\x08",                            // half a header
      attribute(0, kType, "efgh"),       // shorter than its own header
      attribute(3, kType, "efgh"),       // likewise
      attribute(9, kType, "efgh"),       // one byte more than there is
      attribute(0xffff, kType, "efgh"),  // far more
  };
  for (const auto& tail : tails) {
    const std::string bytes = good + tail;
    const Attributes attributes(bytes);
    EXPECT_EQ(attributes.find(1), "abcd");
    EXPECT_FALSE(attributes.has(kType));
  }
}

TEST(NetlinkMessage, TheLastAttributeNeedsNoPadding) {
  const std::string bytes = attribute(5, kType, "x");
  EXPECT_EQ(Attributes(bytes).find(kType), "x");
}

TEST(NetlinkMessage, NumbersOfTheWrongSizeAreAbsent) {
  for (const auto* payload : {"", "a", "abc", "abcde"}) {
    const std::string_view text(payload);
    const std::string bytes =
        attribute(static_cast<std::uint16_t>(sizeof(nlattr) + text.size()), kType, text);
    EXPECT_FALSE(Attributes(bytes).u32(kType)) << text;
    EXPECT_FALSE(Attributes(bytes).be64(kType)) << text;
    EXPECT_FALSE(Attributes(bytes).address(kType)) << text;
    EXPECT_FALSE(Attributes(bytes).mac(kType)) << text;
  }
}

TEST(NetlinkMessage, MessagesThatDoNotFitAreNotTaken) {
  const Request request(77, 0);
  const std::string whole(request.message());
  for (const std::uint32_t length : {0U, 1U, 15U, 17U, 0xffffffffU}) {
    std::string bytes = whole;
    std::memcpy(bytes.data(), &length, sizeof length);
    std::string_view datagram = bytes;
    Message message;
    EXPECT_FALSE(take_message(datagram, message)) << length;
  }
  std::string_view half = std::string_view(whole).substr(0, 10);
  Message message;
  EXPECT_FALSE(take_message(half, message));
}

TEST(NetlinkMessage, AFamilyHeaderThatIsCutOffIsNone) {
  Request request(77, 0);
  request.header(std::uint32_t{1});
  std::string_view datagram = request.message();
  Message message;
  ASSERT_TRUE(take_message(datagram, message));
  EXPECT_TRUE(message.open<std::uint32_t>());
  EXPECT_FALSE(message.open<std::uint64_t>());
}

}  // namespace
}  // namespace weft::kernel
