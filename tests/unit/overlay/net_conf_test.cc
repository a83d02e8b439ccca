#include "overlay/net_conf.h"

#include <string>

#include <gtest/gtest.h>

namespace weft::overlay {
namespace {

Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}

// A configuration of one family's keys with a vxlan backend.
std::string with_vxlan(const std::string& members) {
  return "{" + members + R"(,"Backend":{"Type":"vxlan"}})";
}

TEST(NetConf, DefaultsOfIpv4AreFlannels) {
  // TestConfigDefaults: the key in lower case, as Go accepts it.
  const auto conf = NetConf::parse(with_vxlan(R"("network":"10.3.0.0/16")"));
  ASSERT_TRUE(conf) << conf.error().text();
  const PodNetwork& network = conf->networks.at(Family::kIpv4);
  EXPECT_EQ(network.network, prefix("10.3.0.0/16"));
  EXPECT_EQ(network.subnet_length, 24);
  EXPECT_EQ(network.first, prefix("10.3.1.0/24"));
  EXPECT_EQ(network.last, prefix("10.3.255.0/24"));
  EXPECT_FALSE(conf->networks.contains(Family::kIpv6));
  EXPECT_FALSE(conf->nftables);
  EXPECT_EQ(conf->backend, Backend(VxlanBackend{}));
}

TEST(NetConf, DefaultsOfIpv6AreFlannels) {
  const auto conf = NetConf::parse(
      with_vxlan(R"("EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/48")"));
  ASSERT_TRUE(conf) << conf.error().text();
  const PodNetwork& network = conf->networks.at(Family::kIpv6);
  EXPECT_EQ(network.first, prefix("fc00:0:0:1::/64"));
  EXPECT_EQ(network.last, prefix("fc00:0:0:ffff::/64"));
  EXPECT_FALSE(conf->networks.contains(Family::kIpv4));
}

TEST(NetConf, OverridesAreTaken) {
  const auto conf = NetConf::parse(R"({
    "Network": "10.3.5.6/16", "SubnetLen": 28, "SubnetMin": "10.3.5.0", "SubnetMax": "10.3.8.0",
    "EnableNFTables": true, "Unknown": [1],
    "Backend": {"Type": "VXLAN", "VNI": 7, "Port": 4789, "MTU": 9000, "GBP": true,
                "Learning": true, "DirectRouting": true}})");
  ASSERT_TRUE(conf) << conf.error().text();
  const PodNetwork& network = conf->networks.at(Family::kIpv4);
  EXPECT_EQ(network.network, prefix("10.3.0.0/16"));
  EXPECT_EQ(network.first, prefix("10.3.5.0/28"));
  EXPECT_EQ(network.last, prefix("10.3.8.0/28"));
  EXPECT_TRUE(conf->nftables);
  EXPECT_EQ(conf->backend, Backend(VxlanBackend{.vni = Vni{7},
                                                .port = 4789,
                                                .mtu = 9000,
                                                .gbp = true,
                                                .learning = true,
                                                .direct_routing = true}));
}

TEST(NetConf, UdpIsWhatFlannelTakesWithoutABackend) {
  const auto backend = [](const char* json) { return NetConf::parse(json)->backend; };
  EXPECT_EQ(backend(R"({"Network":"10.3.0.0/16"})"), Backend(UdpBackend{}));
  EXPECT_EQ(backend(R"({"Network":"10.3.0.0/16","Backend":{"Type":"UDP"}})"),
            Backend(UdpBackend{.port = 8285}));
  EXPECT_EQ(backend(R"({"Network":"10.3.0.0/16","Backend":{"Type":"udp","Port":7890}})"),
            Backend(UdpBackend{.port = 7890}));
  EXPECT_EQ(backend_type(UdpBackend{}), "");
}

struct SubnetLength {
  const char* network;
  int length;
};

TEST(NetConf, SubnetLengthFollowsTheNetwork) {
  for (const auto& [network, length] : {SubnetLength{"10.0.0.0/8", 24},
                                        {"10.0.0.0/22", 24},
                                        {"10.0.0.0/23", 25},
                                        {"10.0.0.0/28", 30}}) {
    const auto conf = NetConf::parse(with_vxlan(std::string(R"("Network":")") + network + "\""));
    ASSERT_TRUE(conf) << network;
    EXPECT_EQ(conf->networks.at(Family::kIpv4).subnet_length, length) << network;
  }
}

struct Refusal {
  const char* json;
  const char* because;  // a part of the sentence
};

TEST(NetConf, RefusesWithTheKeyThatIsWrong) {
  const Refusal refusals[] = {
      {"", "no JSON"},
      {"[]", "expected an object"},
      {R"({"Network":"10.0.0.0/16"} x)", "no JSON"},
      {R"({"Backend":{"Type":"vxlan"}})", "Network: is missing"},
      {R"({"Network":null,"Backend":{"Type":"vxlan"}})", "Network: is missing"},
      {R"({"Network":5,"Backend":{"Type":"vxlan"}})", "Network: expected a string"},
      {R"({"Network":"fc00::/48","Backend":{"Type":"vxlan"}})", "no IPv4 network"},
      {R"({"Network":"10.0.0.0/29","Backend":{"Type":"vxlan"}})", "no room for a subnet"},
      {R"({"Network":"10.0.0.0/16","SubnetLen":31,"Backend":{"Type":"vxlan"}})", "SubnetLen"},
      {R"({"Network":"10.0.0.0/16","SubnetLen":17,"Backend":{"Type":"vxlan"}})",
       "at least four subnets"},
      {R"({"Network":"10.0.0.0/16","SubnetLen":-1,"Backend":{"Type":"vxlan"}})", "negative"},
      {R"({"Network":"10.0.0.0/16","SubnetLen":24.5,"Backend":{"Type":"vxlan"}})", "whole number"},
      {R"({"Network":"10.0.0.0/16","SubnetMin":"10.1.0.0","Backend":{"Type":"vxlan"}})",
       "SubnetMin: 10.1.0.0 is not in"},
      {R"({"Network":"10.0.0.0/16","SubnetMin":"10.0.1.5","Backend":{"Type":"vxlan"}})",
       "not the start of a /24"},
      {R"({"Network":"10.0.0.0/16","SubnetMin":"10.0.9.0","SubnetMax":"10.0.8.0","Backend":{"Type":"vxlan"}})",
       "comes before SubnetMin"},
      {R"({"EnableIPv4":false,"Backend":{"Type":"vxlan"}})", "neither IPv4 nor IPv6"},
      {R"({"Network":"10.0.0.0/16","EnableIPv6":true,"IPv6Network":"10.0.0.0/16","Backend":{"Type":"vxlan"}})",
       "no IPv6 network"},
      {R"({"Network":"10.0.0.0/16","Backend":"vxlan"})", "Backend: expected an object"},
      {R"({"Network":"10.0.0.0/16","Backend":{"Type":"vxlam"}})", "did you mean vxlan?"},
      {R"({"Network":"10.0.0.0/16","Backend":{"Type":"vxlan","VNI":16777216}})", "24 bits"},
      {R"({"Network":"10.0.0.0/16","Backend":{"Type":"vxlan","VNI":"1"}})", "VNI: expected"},
      {R"({"Network":"10.0.0.0/16","Backend":{"Type":"vxlan","Port":65536}})", "below 65536"},
      {R"({"Network":"10.0.0.0/16","Backend":{"Type":"vxlan","MTU":100}})", "MTU: must be"},
      {R"({"Network":"10.0.0.0/16","Backend":{"Type":"udp","Port":0}})", "between 1 and 65535"},
      {R"({"Network":"10.0.0.0/16","Backend":{"Type":"udp","Port":70000}})", "between 1 and 65535"},
      {R"({"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/48","Backend":{"Type":"udp"}})",
       "udp carries IPv4 only"},
      {R"({"Network":"10.0.0.0/16","Backend":{"Type":"extension","SubnetAddCommand":"a; b"}})",
       "SubnetAddCommand: \";\" means something only to a shell"},
      {R"({"Network":"10.0.0.0/16","Backend":{"Type":"extension","PreStartupCommand":[1]}})",
       "PreStartupCommand: expected a text or an array of texts"},
  };
  for (const auto& [json, because] : refusals) {
    const auto conf = NetConf::parse(json);
    ASSERT_FALSE(conf) << json;
    EXPECT_NE(conf.error().text().find(because), std::string::npos)
        << json << "\n  said: " << conf.error().text();
  }
}

}  // namespace
}  // namespace weft::overlay
