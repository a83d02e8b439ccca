#include "cni/result.h"

#include <gtest/gtest.h>

#include "cni/version.h"

namespace weft::cni {
namespace {

Json json(const char* text) {
  return parse_json(text).value();
}

AddResult complete() {
  return {.interfaces = {{.name = "cni0", .mac = "00:11:22:33:44:55", .mtu = 1450},
                         {.name = "eth0",
                          .mac = "00:11:22:33:44:66",
                          .sandbox = "/run/netns/x",
                          .pci_id = "8086:9a01"}},
          .ips = {{.interface = 0,
                   .address = InterfaceAddress::parse("10.1.2.3/24").value(),
                   .gateway = IpAddress::parse("10.1.2.1")},
                  {.address = InterfaceAddress::parse("fd00:1::3/64").value()}},
          .routes = {{.destination = Prefix::parse("0.0.0.0/0").value(),
                      .gateway = IpAddress::parse("10.1.2.1"),
                      .mtu = 1400,
                      .priority = 7,
                      .table = 100},
                     {.destination = Prefix::parse("fd00::/8").value()}},
          .dns = {.nameservers = {"10.0.0.10"}, .search = {"example.org"}}};
}

TEST(CniResult, EveryVersionPrintsItsOwnForm) {
  struct {
    const char* version;
    const char* text;
  } const cases[] = {
      {"1.1.0",
       R"({"cniVersion":"1.1.0",
           "interfaces":[{"name":"cni0","mac":"00:11:22:33:44:55","mtu":1450},
                         {"name":"eth0","mac":"00:11:22:33:44:66","sandbox":"/run/netns/x",
                          "pciID":"8086:9a01"}],
           "ips":[{"interface":0,"address":"10.1.2.3/24","gateway":"10.1.2.1"},
                  {"address":"fd00:1::3/64"}],
           "routes":[{"dst":"0.0.0.0/0","gw":"10.1.2.1","mtu":1400,"priority":7,"table":100},
                     {"dst":"fd00::/8"}],
           "dns":{"nameservers":["10.0.0.10"],"search":["example.org"]}})"},
      {"0.4.0",
       R"({"cniVersion":"0.4.0",
           "interfaces":[{"name":"cni0","mac":"00:11:22:33:44:55"},
                         {"name":"eth0","mac":"00:11:22:33:44:66","sandbox":"/run/netns/x"}],
           "ips":[{"version":"4","interface":0,"address":"10.1.2.3/24","gateway":"10.1.2.1"},
                  {"version":"6","address":"fd00:1::3/64"}],
           "routes":[{"dst":"0.0.0.0/0","gw":"10.1.2.1","mtu":1400,"priority":7,"table":100},
                     {"dst":"fd00::/8"}],
           "dns":{"nameservers":["10.0.0.10"],"search":["example.org"]}})"},
      {"0.2.0",
       R"({"cniVersion":"0.2.0",
           "ip4":{"ip":"10.1.2.3/24","gateway":"10.1.2.1",
                  "routes":[{"dst":"0.0.0.0/0","gw":"10.1.2.1"}]},
           "ip6":{"ip":"fd00:1::3/64","routes":[{"dst":"fd00::/8"}]},
           "dns":{"nameservers":["10.0.0.10"],"search":["example.org"]}})"},
  };
  for (const auto& c : cases) EXPECT_EQ(*encode_result(complete(), c.version), json(c.text));
}

TEST(CniResult, WhatIsPrintedIsReadBack) {
  AddResult result = complete();
  EXPECT_EQ(*decode_result(*encode_result(result, "1.1.0"), "1.1.0"), result);
  result.interfaces[0].mtu = 0;
  result.interfaces[1].pci_id.clear();
  for (const char* version : {"0.3.0", "0.3.1", "0.4.0"})
    EXPECT_EQ(*decode_result(*encode_result(result, version), version), result) << version;
}

TEST(CniResult, EmptyPartsAreLeftOut) {
  EXPECT_EQ(to_text(*encode_result({}, "1.0.0")), R"({"cniVersion":"1.0.0"})");
  EXPECT_EQ(to_text(*encode_result({}, "0.3.1")), R"({"cniVersion":"0.3.1","dns":{}})");
  EXPECT_EQ(encode_result({}, "0.2.0").error().message, "cannot convert: no valid IP addresses");
  EXPECT_FALSE(encode_result({}, "0.9.0"));
}

TEST(CniResult, TheFirstAddressOfAFamilyIsThatOfOldVersions) {
  AddResult result;
  for (const char* text : {"10.0.0.1/8", "10.0.0.2/8"})
    result.ips.push_back({.address = InterfaceAddress::parse(text).value()});
  EXPECT_EQ((*encode_result(result, "0.1.0"))["ip4"]["ip"], "10.0.0.1/8");
}

TEST(CniResult, RefusesWhatIsNoResult) {
  for (const char* text :
       {R"([])", R"({"cniVersion":"7.0.0"})", R"({"ips":{}})", R"({"ips":[{}]})",
        R"({"ips":[{"address":"10.0.0.1"}]})",
        R"({"ips":[{"address":"10.0.0.1/8","gateway":"x"}]})",
        R"({"ips":[{"address":"10.0.0.1/8","interface":"0"}]})", R"({"routes":[{}]})",
        R"({"interfaces":[{"name":5}]})", R"({"dns":{"nameservers":"10.0.0.10"}})"})
    EXPECT_FALSE(decode_result(json(text), "1.0.0")) << text;
}

TEST(CniResult, ThePreviousResultHasTheConfigurationsVersion) {
  EXPECT_FALSE(previous_result(json("{}"), "1.0.0")->has_value());
  EXPECT_TRUE(previous_result(json(R"({"prevResult":{}})"), "1.0.0")->has_value());
  const auto other = previous_result(json(R"({"PrevResult":{"cniVersion":"0.4.0"}})"), "1.0.0");
  EXPECT_EQ(other.error().message,
            "could not parse prevResult: result type supports [1.0.0] but unmarshalled CNIVersion "
            "is \"0.4.0\"");
}

TEST(CniVersion, Parses) {
  EXPECT_EQ(SpecVersion::parse("0.3.1"), (SpecVersion{0, 3, 1}));
  EXPECT_EQ(SpecVersion::parse("1.1"), (SpecVersion{1, 1, 0}));
  for (const char* bad : {"", "1.", "1.0.0.0", "a", "1.0.0-rc1", "-1"})
    EXPECT_FALSE(SpecVersion::parse(bad)) << bad;
}

}  // namespace
}  // namespace weft::cni
