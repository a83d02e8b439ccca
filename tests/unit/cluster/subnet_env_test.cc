#include "cluster/subnet_env.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr const char* kIpv4 =
    "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1472\n"
    "FLANNEL_IPMASQ=true\n";
constexpr const char* kTwoNetworks =
    "FLANNEL_NETWORK=10.1.0.0/16,192.168.0.0/16,10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\n"
    "FLANNEL_MTU=1472\nFLANNEL_IPMASQ=false\n";
constexpr const char* kIpv6 =
    "FLANNEL_IPV6_NETWORK=fc00::/48\nFLANNEL_IPV6_SUBNET=fc00::1/64\nFLANNEL_MTU=1472\n"
    "FLANNEL_IPMASQ=true\n";

SubnetEnv env_of(const std::string& text) {
  return SubnetEnv::parse(text).value();
}

TEST(SubnetEnvTest, ReadsWhatTheAgentWrites) {
  const SubnetEnv ipv4{.networks = {{Family::kIpv4, {*Prefix::parse("10.1.0.0/16")}}},
                       .subnets = {{Family::kIpv4, *Prefix::parse("10.1.17.0/24")}},
                       .mtu = 1472,
                       .masquerade = true};
  EXPECT_EQ(env_of(kIpv4), ipv4);
  EXPECT_EQ(ipv4.to_text(), kIpv4);
  EXPECT_EQ(ipv4.lease_key(), LeaseKey::parse("10.1.17.0-24"));
  EXPECT_EQ(env_of(kTwoNetworks).networks.at(Family::kIpv4).size(), 2U);
  EXPECT_EQ(env_of(kIpv6).subnets.at(Family::kIpv6), Prefix::parse("fc00::/64"));
  EXPECT_EQ(env_of(kIpv6).to_text(), kIpv6);
  const auto both = env_of(std::string(kIpv4) + kIpv6 + "\r\nUNKNOWN=1\n# comment\n");
  EXPECT_EQ(both.networks.size(), 2U);
  EXPECT_FALSE(env_of("FLANNEL_IPMASQ=True\n" + std::string(kTwoNetworks)).masquerade);
}

TEST(SubnetEnvTest, TheFilesOfSeveralAgentsMayShareAFolder) {
  EXPECT_EQ(beside_subnet_file("/run/flannel/subnet.env", "status.json"),
            "/run/flannel/status.json");
  EXPECT_EQ(beside_subnet_file("/run/flannel/blue.env", "status.json"),
            "/run/flannel/blue.status.json");
  EXPECT_EQ(beside_subnet_file("blue", "status.json"), "blue.status.json");
}

TEST(SubnetEnvTest, AnAgentsNameIsItsFiles) {
  EXPECT_EQ(agent_name("/run/flannel/subnet.env"), "");
  EXPECT_EQ(agent_name("/run/flannel/blue.env"), "blue");
  EXPECT_EQ(agent_name("blue"), "blue");
}

TEST(SubnetEnvTest, Refusals) {
  struct {
    const char* text;
    const char* message;
  } const cases[] = {
      {"",
       "is missing FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK, FLANNEL_SUBNET, "
       "FLANNEL_IPV6_SUBNET, FLANNEL_MTU, FLANNEL_IPMASQ"},
      {"foo=bar",
       "is missing FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK, FLANNEL_SUBNET, "
       "FLANNEL_IPV6_SUBNET, FLANNEL_MTU, FLANNEL_IPMASQ"},
      {"FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1472\n",
       "is missing FLANNEL_IPMASQ"},
      {"FLANNEL_NETWORK", "has a malformed FLANNEL_NETWORK: \"\""},
      {"FLANNEL_NETWORK=fc00::/48", "has a malformed FLANNEL_NETWORK: \"fc00::/48\""},
      {"FLANNEL_SUBNET=10.1.17.1", "has a malformed FLANNEL_SUBNET: \"10.1.17.1\""},
      {"FLANNEL_MTU=-1", "has a malformed FLANNEL_MTU: \"-1\""},
      {"FLANNEL_MTU=0", "has a malformed FLANNEL_MTU: \"0\""},
      {"FLANNEL_MTU=99999999999", "has a malformed FLANNEL_MTU: \"99999999999\""},
  };
  for (const auto& c : cases) {
    const auto env = SubnetEnv::parse(c.text);
    ASSERT_FALSE(env) << c.text;
    EXPECT_EQ(env.error().what, c.message);
  }
}

}  // namespace
}  // namespace weft
