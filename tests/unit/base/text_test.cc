#include "base/text.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace weft {
namespace {

using Words = std::vector<std::string>;

TEST(TextTest, Split) {
  EXPECT_EQ(split("a,b,,c", ','), (Words{"a", "b", "", "c"}));
  EXPECT_EQ(split("", ','), Words{""});
  EXPECT_EQ(split(",", ','), (Words{"", ""}));
}

TEST(TextTest, Trim) {
  for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{
           {" a b\t", "a b"}, {"\r\n", ""}, {"", ""}, {"x", "x"}, {"\vx", "\vx"}})
    EXPECT_EQ(trim(text), expected);
}

TEST(TextTest, ParseNumber) {
  EXPECT_EQ(parse_number("0"), 0U);
  EXPECT_EQ(parse_number("18446744073709551615"), UINT64_MAX);
  for (const std::string text : {"", "-1", "+1", " 1", "1 ", "0x1", "1.5", "18446744073709551616"})
    EXPECT_FALSE(parse_number(text)) << text;
}

TEST(TextTest, NearestIsWhatAPersonMeant) {
  const Words flags{"etcd-endpoints", "etcd-prefix", "iface"};
  EXPECT_EQ(nearest("etcd-endpoint", flags), "etcd-endpoints");
  EXPECT_EQ(nearest("ifcae", flags), "iface");  // two letters swapped
  EXPECT_EQ(nearest("ifxyz", flags), std::nullopt);
  EXPECT_EQ(nearest("ifaces", flags), "iface");
  EXPECT_EQ(nearest("subnet-file", flags), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
  EXPECT_EQ(did_you_mean("ifaces", flags), "; did you mean iface?");
  EXPECT_EQ(did_you_mean("subnet-file", flags), "");
}

// RFC 4648, section 10.
TEST(Base64Test, TestVectors) {
  for (const auto& [bytes, text] : std::vector<std::pair<std::string, std::string>>{
           {"", ""},
           {"f", "Zg=="},
           {"fo", "Zm8="},
           {"foo", "Zm9v"},
           {"foob", "Zm9vYg=="},
           {"fooba", "Zm9vYmE="},
           {"foobar", "Zm9vYmFy"},
           {"\xfb\xff\xfe", "+//+"},
       }) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64Test, EveryByteSurvives) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
}

TEST(Base64Test, Refused) {
  for (const std::string text : {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zm9v=",
                                 "Zg==Zg==", "Zm 9", "Zm9\n", "Zm-_", "Zh==", "Zm9="})
    EXPECT_FALSE(from_base64(text)) << text;
}

TEST(Utf8, IsWhatRfc3629Says) {
  for (const char* text : {"", "a\n", "na\xc3\xafve", "\xe2\x82\xac", "\xed\x9f\xbf",
                           "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(text)) << text;
  for (const char* text :
       {"\x80", "\xff", "a\xc3", "\xc3z", "\xc0\xaf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"})
    EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
}

}  // namespace
}  // namespace weft
