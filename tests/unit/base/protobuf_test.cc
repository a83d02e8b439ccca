#include "base/protobuf.h"

#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

namespace weft {
namespace {

// "1=text 2=-7"
std::string fields(std::string_view message) {
  std::string shown;
  const Status read = read_protobuf(message, [&](const ProtobufField& field) -> Status {
    shown += (shown.empty() ? "" : " ") + std::to_string(field.number) + "=" +
             (field.bytes.empty() ? std::to_string(field.integer) : field.text());
    return {};
  });
  return read ? shown : "mistake";
}

TEST(Protobuf, GivesEachFieldWithItsValue) {
  std::string message;
  protozero::pbf_writer writer(message);
  writer.add_string(1, "text");
  writer.add_int64(2, -7);
  writer.add_fixed32(3, 5);
  writer.add_double(4, 1.5);
  writer.add_string(1, "last");
  writer.add_uint64(536'870'911, 300);
  EXPECT_EQ(fields(message), "1=text 2=-7 3=0 4=0 1=last 536870911=300");
  EXPECT_EQ(fields(""), "");
}

TEST(Protobuf, MistakesEndTheReading) {
  using namespace std::string_literals;
  for (const std::string& message :
       {"\x0a"s, "\x0a\x05text"s, "\x0a\xff\xff\xff\xff\x0ftext"s, "\x08"s, "\x08\xff"s,
        "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s, "\x0d\x01\x02"s, "\x09\x01"s,
        "\x0b\x01"s, "\x0f"s, "\x02\x01x"s, "<html>"s, "\x0a\x01x\x0a"s})
    EXPECT_EQ(fields(message), "mistake") << testing::PrintToString(message);
}

TEST(Protobuf, WhatIsNoUtf8IsNoText) {
  EXPECT_EQ((ProtobufField{.bytes = "na\xc3\xafve"}.text()), "na\xc3\xafve");
  EXPECT_EQ((ProtobufField{.bytes = "na\xc3"}.text()), "");
}

TEST(ProtobufPrefix, IsReadAsSoonAsItIsThere) {
  std::string message;
  protozero::pbf_writer(message).add_string(300, std::string(200, 'x'));
  for (std::size_t size = 0; size < 4; ++size) {
    const auto half = read_protobuf_prefix(std::string_view(message).substr(0, size));
    ASSERT_TRUE(half);
    EXPECT_FALSE(*half) << size;
  }
  for (const std::size_t size : {std::size_t{4}, std::size_t{5}, message.size()}) {
    const auto prefix = read_protobuf_prefix(std::string_view(message).substr(0, size));
    ASSERT_TRUE(prefix && *prefix) << size;
    EXPECT_EQ((*prefix)->number, 300U);
    EXPECT_EQ((*prefix)->length, 200U);
    EXPECT_EQ((*prefix)->size, 4U);
  }
}

TEST(ProtobufPrefix, AnythingElseIsRefused) {
  using namespace std::string_literals;
  for (const std::string& bytes :
       {"\x08\x01"s, "\x0d\x01"s, std::string(20, '\xff'), "\x0a" + std::string(19, '\xff')})
    EXPECT_FALSE(read_protobuf_prefix(bytes)) << testing::PrintToString(bytes);
  // A length is what the sender says, for its reader to bound.
  const auto huge = read_protobuf_prefix("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  ASSERT_TRUE(huge && *huge);
  EXPECT_EQ((*huge)->length, ~std::uint64_t{0});
}

}  // namespace
}  // namespace weft
