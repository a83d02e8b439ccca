#include <gtest/gtest.h>

#include "cni/plugins/flannel_config.h"
#include "cni/plugins/subnet_env.h"
#include "unit/cni/call_of.h"

namespace weft::cni {
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
  return parse_subnet_env(text, "env").value();
}

TEST(SubnetEnvTest, ReadsWhatTheAgentWrites) {
  EXPECT_EQ(env_of(kIpv4), (SubnetEnv{.ipv4_networks = {*Prefix::parse("10.1.0.0/16")},
                                      .ipv4_subnet = Prefix::parse("10.1.17.0/24"),
                                      .mtu = 1472,
                                      .ip_masq = true}));
  EXPECT_EQ(env_of(kTwoNetworks).ipv4_networks.size(), 2U);
  EXPECT_EQ(env_of(kIpv6).ipv6_subnet, Prefix::parse("fc00::/64"));
  EXPECT_EQ(env_of(std::string(kIpv4) + kIpv6 + "\r\nUNKNOWN=1\n# comment\n").ipv6_networks.size(),
            1U);
  EXPECT_FALSE(env_of("FLANNEL_IPMASQ=True\n" + std::string(kTwoNetworks)).ip_masq);
}

TEST(SubnetEnvTest, Refusals) {
  struct {
    const char* text;
    const char* message;
  } const cases[] = {
      {"",
       "env is missing FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK, FLANNEL_SUBNET, "
       "FLANNEL_IPV6_SUBNET, FLANNEL_MTU, FLANNEL_IPMASQ"},
      {"foo=bar",
       "env is missing FLANNEL_NETWORK, FLANNEL_IPV6_NETWORK, FLANNEL_SUBNET, "
       "FLANNEL_IPV6_SUBNET, FLANNEL_MTU, FLANNEL_IPMASQ"},
      {"FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1472\n",
       "env is missing FLANNEL_IPMASQ"},
      {"FLANNEL_NETWORK", "env: FLANNEL_NETWORK: cannot read \"\""},
      {"FLANNEL_NETWORK=fc00::/48", "env: FLANNEL_NETWORK: cannot read \"fc00::/48\""},
      {"FLANNEL_SUBNET=10.1.17.1", "env: FLANNEL_SUBNET: cannot read \"10.1.17.1\""},
      {"FLANNEL_MTU=-1", "env: FLANNEL_MTU: cannot read \"-1\""},
      {"FLANNEL_MTU=99999999999", "env: FLANNEL_MTU: cannot read \"99999999999\""},
  };
  for (const auto& c : cases) {
    const auto env = parse_subnet_env(c.text, "env");
    ASSERT_FALSE(env) << c.text;
    EXPECT_EQ(env.error().what, c.message);
  }
}

CniResult<Json> delegate_of(const std::string& text, const std::string& env) {
  const CallOf call(text);
  ASSIGN_OR_RETURN(const FlannelConfig config, read_flannel_config(call.call));
  const SubnetEnv parsed = env_of(env);
  return delegate_config(call.call, config, &parsed);
}

TEST(FlannelConfigTest, DelegatesAsTheGoPluginDoes) {
  struct {
    const char* config;
    std::string env;
    const char* delegate;
  } const cases[] = {
      {R"({"cniVersion":"1.0.0","name":"cni-flannel","type":"flannel"})", kIpv4,
       R"({"name":"cni-flannel","type":"bridge","ipMasq":false,"mtu":1472,"isGateway":true,
           "cniVersion":"1.0.0","ipam":{"type":"host-local",
           "ranges":[[{"subnet":"10.1.17.0/24"}]],"routes":[{"dst":"10.1.0.0/16"}]}})"},
      {R"({"name":"cni-flannel","type":"flannel"})", kTwoNetworks,
       R"({"name":"cni-flannel","type":"bridge","ipMasq":true,"mtu":1472,"isGateway":true,
           "ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.17.0/24"}]],
           "routes":[{"dst":"10.1.0.0/16"},{"dst":"192.168.0.0/16"}]}})"},
      {R"({"name":"cni-flannel","type":"flannel","delegate":{"type":"ipvlan","mtu":9000,
           "ipMasq":true,"hairpinMode":true}})",
       kIpv6,
       R"({"type":"ipvlan","mtu":9000,"ipMasq":true,"hairpinMode":true,"name":"cni-flannel",
           "ipam":{"type":"host-local","ranges":[[{"subnet":"fc00::/64"}]],
           "routes":[{"dst":"fc00::/48"}]}})"},
      {R"({"name":"n","type":"flannel","runtimeConfig":{"mac":"x"},
           "ipam":{"type":"custom","ranges":"overwritten","routes":[{"dst":"0.0.0.0/0"}]}})",
       std::string(kIpv4) + kIpv6,
       R"({"runtimeConfig":{"mac":"x"},"name":"n","type":"bridge","ipMasq":false,"mtu":1472,
           "isGateway":true,"ipam":{"type":"custom",
           "ranges":[[{"subnet":"10.1.17.0/24"}],[{"subnet":"fc00::/64"}]],
           "routes":[{"dst":"0.0.0.0/0"},{"dst":"10.1.0.0/16"},{"dst":"fc00::/48"}]}})"},
  };
  for (const auto& c : cases) {
    const auto delegate = delegate_of(c.config, c.env);
    ASSERT_TRUE(delegate) << delegate.error().message;
    EXPECT_EQ(*delegate, parse_json(c.delegate).value());
  }
}

TEST(FlannelConfigTest, Refusals) {
  struct {
    const char* config;
    const char* message;
  } const cases[] = {
      {R"({"name":"n","delegate":{"type":3}})",
       "'delegate' dictionary, if present, must have (string) 'type' field"},
      {R"({"name":"n","delegate":{"name":"x"}})",
       "'delegate' dictionary must not have 'name' field, it'll be set by flannel"},
      {R"({"name":"n","delegate":{"ipam":{}}})",
       "'delegate' dictionary must not have 'ipam' field, it'll be set by flannel"},
      {R"({"name":"n","delegate":"bridge"})",
       "failed to load netconf: delegate: expected an object"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(delegate_of(c.config, kIpv4).error().message, c.message) << c.config;
}

}  // namespace
}  // namespace weft::cni
