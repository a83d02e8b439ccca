#include "kernel/conntrack_codec.h"

#include <gtest/gtest.h>

namespace weft::kernel {
namespace {

// What the kernel lists has the type of a new entry and both tuples; a removal has the first.
std::optional<ConntrackEntry> decode_bytes(std::string bytes) {
  std::string_view left = bytes;
  Message message;
  if (!take_message(left, message)) return std::nullopt;
  return decode_conntrack(message);
}

// ctnetlink's own listing of a UDP flow to 192.0.2.1:53 that was sent to 10.0.0.5:5353.
std::string listed() {
  constexpr unsigned char kMessage[] = {
      0x94, 0, 0, 0, 0, 1, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0,  // nlmsghdr: 148
                                                          // bytes, CT_NEW
      2, 0, 0, 0,                                         // nfgenmsg
      0x34, 0, 1, 0x80,                                   // CTA_TUPLE_ORIG
      0x14, 0, 1, 0x80, 8, 0, 1, 0, 192, 0, 2, 9, 8, 0, 2, 0, 192, 0, 2, 1, 0x1c, 0, 2, 0x80, 5, 0,
      1, 0, 17, 0, 0, 0, 6, 0, 2, 0, 0x9c, 0x40, 0, 0, 6, 0, 3, 0, 0, 53, 0, 0, 0x34, 0, 2,
      0x80,  // CTA_TUPLE_REPLY
      0x14, 0, 1, 0x80, 8, 0, 1, 0, 10, 0, 0, 5, 8, 0, 2, 0, 192, 0, 2, 9, 0x1c, 0, 2, 0x80, 5, 0,
      1, 0, 17, 0, 0, 0, 6, 0, 2, 0, 0x14, 0xe9, 0, 0, 6, 0, 3, 0, 0x9c, 0x40, 0, 0, 8, 0, 12, 0, 0,
      0, 0, 7,                    // CTA_ID
      6, 0, 18, 0, 0, 3, 0, 0,    // CTA_ZONE
      8, 0, 3, 0, 0, 0, 1, 0x8e,  // CTA_STATUS
  };
  return {reinterpret_cast<const char*>(kMessage), sizeof kMessage};
}

const ConntrackEntry kEntry{.original = {.source = IpAddress::v4(0xc0000209),
                                         .destination = IpAddress::v4(0xc0000201),
                                         .protocol = 17,
                                         .source_port = 40000,
                                         .destination_port = 53},
                            .reply = {.source = IpAddress::v4(0x0a000005),
                                      .destination = IpAddress::v4(0xc0000209),
                                      .protocol = 17,
                                      .source_port = 5353,
                                      .destination_port = 40000},
                            .zone = 3,
                            .id = 7};

TEST(ConntrackCodec, AListedEntryIsRead) {
  EXPECT_EQ(decode_bytes(listed()), kEntry);
}

TEST(ConntrackCodec, NoCutOffEntryIsTaken) {
  const std::string whole = listed();
  for (std::size_t size = 0; size < whole.size() - 16; ++size) {
    std::string cut = whole.substr(0, size);
    if (size >= 4) cut[0] = static_cast<char>(size);
    EXPECT_EQ(decode_bytes(cut), std::nullopt) << size;
  }
}

TEST(ConntrackCodec, ARemovalNamesTheEntryAlone) {
  const Request request = encode_remove_conntrack(kEntry);
  std::string_view left = request.message();
  Message message;
  ASSERT_TRUE(take_message(left, message));
  EXPECT_EQ(message.header.nlmsg_type, 0x0102);  // IPCTNL_MSG_CT_DELETE
  // nfgenmsg and the tuple of the listing, then zone and number.
  EXPECT_EQ(message.payload.substr(0, 4 + 0x34), listed().substr(16, 4 + 0x34));
  EXPECT_EQ(message.payload.substr(4 + 0x34),
            std::string_view("\6\0\x12\0\0\3\0\0\x8\0\xc\0\0\0\0\7", 16));
}

TEST(ConntrackCodec, TheFilterIsProtocolAndPort) {
  const ConntrackFilter filter{
      .family = Family::kIpv4, .protocol = 17, .original_destination_port = 53};
  EXPECT_TRUE(filter.matches(kEntry));
  EXPECT_FALSE(
      (ConntrackFilter{.family = Family::kIpv6, .protocol = 17, .original_destination_port = 53})
          .matches(kEntry));
  ConntrackEntry other = kEntry;
  other.original.destination_port = 54;
  EXPECT_FALSE(filter.matches(other));
  other = kEntry;
  other.original.protocol = 6;
  EXPECT_FALSE(filter.matches(other));
}

TEST(ConntrackCodec, TheFilterMayNameAnAddressAndNoPort) {
  ConntrackFilter filter{.family = Family::kIpv4, .protocol = 17};
  EXPECT_TRUE(filter.matches(kEntry));
  filter.original_destination = IpAddress::v4(0xc0000201);
  EXPECT_TRUE(filter.matches(kEntry));
  filter.original_destination = IpAddress::v4(0xc0000202);
  EXPECT_FALSE(filter.matches(kEntry));
}

}  // namespace
}  // namespace weft::kernel
