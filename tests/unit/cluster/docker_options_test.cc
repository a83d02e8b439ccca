#include "cluster/docker_options.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

// flannel's dist/sample_subnet.env.
constexpr const char* kSample =
    "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.74.1/24\nFLANNEL_MTU=1472\n"
    "FLANNEL_IPMASQ=false\n";

const std::string kBip = "DOCKER_OPT_BIP=\"--bip=10.1.74.1/24\"\n";
const std::string kMasquerade = "DOCKER_OPT_IPMASQ=\"--ip-masq=true\"\n";
const std::string kMtu = "DOCKER_OPT_MTU=\"--mtu=1472\"\n";
const std::string kAll = "=\" --bip=10.1.74.1/24 --ip-masq=true --mtu=1472\"\n";

TEST(DockerOptions, UpstreamsFiveCases) {
  const struct {
    const char* name;
    DockerOptionsFlags flags;
    std::string text;
  } cases[] = {
      {"default", {}, kBip + kMasquerade + kMtu + "DOCKER_OPTS" + kAll},
      {"-i", {.individual = true}, kBip + kMasquerade + kMtu},
      {"-c", {.combined = true}, "DOCKER_OPTS" + kAll},
      {"-k", {.key = "CUSTOM_KEY"}, kBip + kMasquerade + kMtu + "CUSTOM_KEY" + kAll},
      {"-m",
       {.masquerade = false},
       kBip + kMtu + "DOCKER_OPTS=\" --bip=10.1.74.1/24 --mtu=1472\"\n"},
  };
  for (const auto& [name, flags, text] : cases) {
    const auto options = docker_options(kSample, flags, {});
    ASSERT_TRUE(options) << name;
    EXPECT_EQ(options->text, text) << name;
  }
  EXPECT_EQ(docker_options(kSample, {}, {})->subnet, Prefix::parse("10.1.74.0/24"));
}

TEST(DockerOptions, WhatTheEnvironmentHoldsIsPassedOn) {
  const auto options =
      docker_options("FLANNEL_MTU=1450\n", {.combined = true},
                     {{"DOCKER_OPTS", "--debug"}, {"DOCKER_OPT_LOG", "--log-level=warn"}});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->text, "DOCKER_OPTS=\"--debug  --log-level=warn --mtu=1450\"\n");
  EXPECT_EQ(docker_options("", {}, {})->text, "DOCKER_OPTS=\"\"\n");
}

TEST(DockerOptions, WhatIsNotWhatItMustBeIsRefused) {
  for (const char* env : {"FLANNEL_IPMASQ=maybe", "FLANNEL_MTU=$(id)", "FLANNEL_SUBNET=10.1.74.1",
                          "FLANNEL_SUBNET=\"10.1.74.1/24\";id", "FLANNEL_SUBNET=fd00::1/64"})
    EXPECT_FALSE(docker_options(env, {}, {})) << env;
  EXPECT_EQ(docker_options("FLANNEL_IPMASQ=maybe", {}, {}).error().what,
            "Invalid value of FLANNEL_IPMASQ: maybe");
  EXPECT_FALSE(docker_options(kSample, {.key = "A=B"}, {}));
}

}  // namespace
}  // namespace weft
