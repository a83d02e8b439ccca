#include <gtest/gtest.h>

#include "cni/plugins/bandwidth_config.h"
#include "unit/cni/call_of.h"

namespace weft::cni {
namespace {

CniResult<BandwidthConfig> config_of(const std::string& members) {
  return read_bandwidth_config(CallOf(R"({"name":"n","type":"bandwidth")" + members + "}").call);
}

TEST(BandwidthConfigTest, LimitsAreInBits) {
  const auto config = config_of(R"(,"ingressRate":8000000,"ingressBurst":524288)");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ingress, token_bucket(1'000'000, 65'536));
  EXPECT_FALSE(config->egress);
  EXPECT_TRUE(config_of("")->empty());
  EXPECT_TRUE(config_of(R"(,"ingressRate":0,"ingressBurst":0)")->empty());
}

TEST(BandwidthConfigTest, ThoseOfTheRuntimeCountWhereThereAreNoOwn) {
  const std::string runtime =
      R"(,"RuntimeConfig":{"bandWidth":{"IngressRate":80,"ingressBurst":80,"egressRate":160,
          "egressBurst":160}})";
  EXPECT_EQ(config_of(runtime)->ingress->rate, 10U);
  EXPECT_EQ(config_of(runtime)->egress->rate, 20U);
  EXPECT_EQ(config_of(runtime + R"(,"egressRate":8,"egressBurst":8)")->egress->rate, 1U);
  EXPECT_FALSE(config_of(runtime + R"(,"egressRate":8,"egressBurst":8)")->ingress);
  EXPECT_TRUE(config_of(runtime + R"(,"egressRate":0)")->empty());
  // Nothing that does not count is judged.
  EXPECT_TRUE(config_of(R"(,"egressRate":8,"egressBurst":8,
                           "runtimeConfig":{"bandwidth":{"ingressRate":1}})"));
}

TEST(BandwidthConfigTest, Refusals) {
  struct {
    const char* members;
    const char* message;
  } const cases[] = {
      {R"(,"ingressRate":8)", "if rate is set, burst must also be set"},
      {R"(,"egressBurst":8)", "if burst is set, rate must also be set"},
      {R"(,"egressRate":8,"egressBurst":34359738360)", "burst cannot be more than 4GB"},
      {R"(,"egressRate":7,"egressBurst":8)", "a rate must be at least 8 bits a second"},
      {R"(,"egressRate":-8,"egressBurst":8)",
       "failed to parse network configuration: bandwidth: a rate or burst is negative"},
      {R"(,"egressRate":"8")",
       "failed to parse network configuration: egressRate: expected a whole number"},
  };
  for (const auto& c : cases) EXPECT_EQ(config_of(c.members).error().message, c.message);
  EXPECT_TRUE(config_of(R"(,"egressRate":8,"egressBurst":34359738359)"));
  EXPECT_FALSE(config_of(R"(,"runtimeConfig":{"bandwidth":[]})"));
}

// The first digits of what sha512sum says of "nc1".
TEST(BandwidthNames, AreThoseOfTheGoPlugin) {
  const CallOf call(R"({"name":"n"})");
  EXPECT_EQ(ifb_name(call.call), "bwp9b00b9b7c279");
  EXPECT_NE(second_ifb_name(call.call), ifb_name(call.call));
  EXPECT_TRUE(is_valid_link_name(second_ifb_name(call.call)));
}

}  // namespace
}  // namespace weft::cni
