// Keys and values of leases. The cases named Test... are flannel's (pkg/subnet).
#include "cluster/lease.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(LeaseKeyTest, TestSubnetNodev4) {
  const auto key = LeaseKey::parse("10.12.13.0-24");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->ipv4, Prefix::parse("10.12.13.0/24"));
  EXPECT_FALSE(key->ipv6);
  EXPECT_EQ(key->to_string(), "10.12.13.0-24");
  EXPECT_EQ(key->describe(), "10.12.13.0/24");
}

TEST(LeaseKeyTest, TestSubnetNodev6) {
  const auto key = LeaseKey::parse("10.12.13.0-24&fd00:12:13::-56");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->ipv4, Prefix::parse("10.12.13.0/24"));
  EXPECT_EQ(key->ipv6, Prefix::parse("fd00:12:13::/56"));
  EXPECT_EQ(key->to_string(), "10.12.13.0-24&fd00:12:13::-56");
  EXPECT_EQ(key->describe(), "10.12.13.0/24 and fd00:12:13::/56");
}

// flannel has no key without IPv4; the empty network stands for it.
TEST(LeaseKeyTest, Ipv6Only) {
  const auto key = LeaseKey::parse("0.0.0.0-0&fd00:12:13::-56");
  ASSERT_TRUE(key);
  EXPECT_FALSE(key->ipv4);
  EXPECT_EQ(key->to_string(), "0.0.0.0-0&fd00:12:13::-56");
  EXPECT_EQ(key->describe(), "fd00:12:13::/56");
}

TEST(LeaseKeyTest, TestSubnetNodeInvalid) {
  for (const std::string text : {"10.12.13.0-24hi",
                                 "10.12.13.300-24",
                                 "10.12.13.0-24&2001::",
                                 "&2001::-56",
                                 "10.12.13.0-24&",
                                 "10.12.13.0",
                                 "10.12.13.0/24",
                                 "10.12.13-24",
                                 "-24",
                                 "",
                                 "10.12.13.0-24&10.12.14.0-24",
                                 "hi10.12.13.0-24",
                                 "10.12.13.0-32",
                                 "10.12.13.0-33",
                                 "10.12.13.0--1",
                                 "10.12.13.0-",
                                 "10.12.13.1-24",
                                 "10.12.13.0-24&fd00::1-56",
                                 "10.12.13.0-24&fd00::-128",
                                 "fd00::-56",
                                 "0.0.0.0-0",
                                 "10.12.13.0-24&fd00::-56&fd01::-56",
                                 " 10.12.13.0-24",
                                 "10.12.13.0-24 ",
                                 "10.12.13.0-99999999999999999999999"})
    EXPECT_FALSE(LeaseKey::parse(text)) << text;
  EXPECT_FALSE(LeaseKey::parse(std::string_view("10.12.13.0\0-24", 14)));
}

TEST(LeaseKeyTest, OrderIsByFamilyAndNumber) {
  EXPECT_LT(*LeaseKey::parse("9.0.0.0-24"), *LeaseKey::parse("10.0.0.0-24"));
  EXPECT_LT(*LeaseKey::parse("10.0.0.0-24"), *LeaseKey::parse("10.0.0.0-24&fd00::-64"));
}

// What flannel's TestEtcdRegistry asserts byte for byte.
TEST(LeaseAttributesTest, BytesOfFlannel) {
  LeaseAttributes attributes;
  attributes.public_ipv4 = IpAddress::parse("1.2.3.4");
  EXPECT_EQ(attributes.to_json(), R"({"PublicIP":"1.2.3.4","PublicIPv6":null})");
  attributes.public_ipv6 = IpAddress::parse("fd00::4");
  attributes.backend_type = "vxlan";
  attributes.backend_data = R"({"VNI":1})";
  attributes.backend_v6_data = R"({"VNI":2})";
  EXPECT_EQ(attributes.to_json(),
            R"({"PublicIP":"1.2.3.4","PublicIPv6":"fd00::4","BackendType":"vxlan",)"
            R"("BackendData":{"VNI":1},"BackendV6Data":{"VNI":2}})");
  attributes.public_ipv4.reset();
  EXPECT_TRUE(attributes.to_json().starts_with(R"({"PublicIP":"0.0.0.0",)"));
}

struct ValueCase {
  std::string json;
  std::string canonical;  // what to_json() makes of it
};

TEST(LeaseAttributesTest, Accepted) {
  for (const auto& [json, canonical] : std::vector<ValueCase>{
           {R"({"PublicIP":"1.2.3.4"})", R"({"PublicIP":"1.2.3.4","PublicIPv6":null})"},
           {R"({"publicip":"1.2.3.4","New":{"a":[1]}})",
            R"({"PublicIP":"1.2.3.4","PublicIPv6":null})"},
           {R"({"PublicIP":"9.9.9.9","PUBLICIP":"1.2.3.4","BackendData":null})",
            R"({"PublicIP":"1.2.3.4","PublicIPv6":null})"},
           {R"({"PublicIP":"0.0.0.0","PublicIPv6":"FD00:0::4"})",
            R"({"PublicIP":"0.0.0.0","PublicIPv6":"fd00::4"})"},
           {R"({"PublicIP":"1.2.3.4","BackendType":"extension","BackendData":"a \"b\""})",
            R"({"PublicIP":"1.2.3.4","PublicIPv6":null,"BackendType":"extension",)"
            R"("BackendData":"a \"b\""})"},
       }) {
    const auto value = LeaseAttributes::parse(json);
    ASSERT_TRUE(value) << json << ": " << value.error().text();
    EXPECT_EQ(value->to_json(), canonical);
    EXPECT_EQ(*LeaseAttributes::parse(value->to_json()), *value);
  }
}

TEST(LeaseAttributesTest, Refused) {
  for (const std::string json :
       {"", "{", "[]", "null", "7", "<html>", "{}", R"({"PublicIP":null})",
        R"({"PublicIP":"0.0.0.0","PublicIPv6":null})", R"({"PublicIP":"1.2.3"})",
        R"({"PublicIP":"fd00::1"})", R"({"PublicIP":7})",
        R"({"PublicIP":"1.2.3.4","PublicIPv6":"1.2.3.4"})",
        R"({"PublicIP":"1.2.3.4","BackendType":7})", R"({"PublicIP":"1.2.3.4"} x)"})
    EXPECT_FALSE(LeaseAttributes::parse(json)) << json;
}

}  // namespace
}  // namespace weft
