#include <gtest/gtest.h>

#include "base/sha2.h"
#include "cni/interface_plan.h"
#include "cni/masquerade_rules.h"
#include "cni/plugins/bridge_config.h"
#include "kernel/bridge_vlan.h"
#include "unit/cni/call_of.h"

namespace weft::cni {
namespace {

CniResult<BridgeConfig> config_of(const std::string& members, const std::string& args = {}) {
  return read_bridge_config(CallOf(R"({"name":"n","type":"bridge")" + members + "}", args).call);
}

TEST(BridgeConfigTest, VlanTrunks) {
  using Ids = std::vector<std::uint16_t>;
  EXPECT_EQ(config_of(R"(,"vlanTrunk":[{"minID":3,"maxID":5},{"id":1},{"id":4}])")->vlan_trunk,
            (Ids{1, 3, 4, 5}));
  EXPECT_TRUE(config_of(R"(,"vlanTrunk":[])")->filters_vlans());
  struct {
    const char* trunk;
    const char* message;
  } const refused[] = {
      {R"({"minID":3})", "minID and maxID should be configured simultaneously, maxID is missing"},
      {R"({"maxID":3})", "minID and maxID should be configured simultaneously, minID is missing"},
      {R"({"minID":0,"maxID":3})", "incorrect trunk minID parameter"},
      {R"({"minID":1,"maxID":4095})", "incorrect trunk maxID parameter"},
      {R"({"minID":5,"maxID":3})", "minID is greater than maxID in trunk parameter"},
      {R"({"id":4095})", "incorrect trunk id parameter"},
  };
  for (const auto& c : refused)
    EXPECT_EQ(config_of(R"(,"vlanTrunk":[)" + std::string(c.trunk) + "]").error().message,
              c.message);
}

TEST(BridgeConfigTest, TheStrongestMacWins) {
  const std::string args = R"(,"args":{"cni":{"mac":"02:00:00:00:00:02"}})";
  const std::string runtime = R"(,"runtimeConfig":{"mac":"02:00:00:00:00:03"})";
  const std::string variable = "MAC=02:00:00:00:00:01";
  EXPECT_EQ(config_of("", variable)->mac, MacAddress::parse("02:00:00:00:00:01"));
  EXPECT_EQ(config_of(args, variable)->mac, MacAddress::parse("02:00:00:00:00:02"));
  EXPECT_EQ(config_of(args + runtime, variable)->mac, MacAddress::parse("02:00:00:00:00:03"));
  EXPECT_EQ(config_of(R"(,"runtimeConfig":{"mac":"x"})").error().message,
            "address x: invalid MAC address");
}

TEST(BridgeConfigTest, Refusals) {
  EXPECT_FALSE(config_of(R"(,"mtu":"1500")"));
  EXPECT_FALSE(config_of(R"(,"bridge":"../../x")"));
  EXPECT_EQ(config_of(R"(,"vlan":-1)").error().message,
            "invalid VLAN ID -1 (must be between 0 and 4094)");
  EXPECT_EQ(config_of(R"(,"ipMasqBackend":"pf")").error().message, "unknown ipmasq backend \"pf\"");
  EXPECT_FALSE(config_of(R"(,"disableContainerInterface":true,"ipam":{"type":"host-local"})"));
}

TEST(BridgeGateways, AreCompletedAndDefaultRoutesAddedOnce) {
  AddResult result{.ips = {{.address = InterfaceAddress::parse("10.1.2.5/24").value()},
                           {.address = InterfaceAddress::parse("10.1.2.6/24").value()},
                           {.address = InterfaceAddress::parse("fd00::5/64").value(),
                            .gateway = IpAddress::parse("fd00::ff")}}};
  const auto gateways =
      complete_with_gateways(result, {.is_gateway = true, .is_default_gateway = true}, 2);
  ASSERT_EQ(gateways.size(), 2U);
  EXPECT_EQ(gateways[0].to_string(), "10.1.2.1/24");
  EXPECT_EQ(gateways[1].to_string(), "fd00::ff/64");
  ASSERT_EQ(result.routes.size(), 2U);
  EXPECT_EQ(result.routes[0].gateway, IpAddress::parse("10.1.2.1"));
  EXPECT_EQ(result.ips[0].interface, 2);
}

TEST(InterfacePlanTest, RoutesGetTheirFamilysGatewayAndStandOnce) {
  const ResultRoute everywhere{.destination = Prefix::parse("0.0.0.0/0").value()};
  ResultRoute same = everywhere;
  same.gateway = IpAddress::parse("10.1.2.1");
  const AddResult result{
      .interfaces = {{.name = "eth0"}},
      .ips = {{.interface = 0,
               .address = InterfaceAddress::parse("10.1.2.5/24").value(),
               .gateway = IpAddress::parse("10.1.2.1")},
              {.address = InterfaceAddress::parse("10.9.9.9/24").value()}},
      .routes = {everywhere, same, {.destination = Prefix::parse("fd00::/8").value()}}};
  const auto plan = plan_interface(result, "eth0", {});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->addresses.size(), 1U);
  ASSERT_EQ(plan->routes.size(), 2U);
  EXPECT_EQ(plan->routes[0].gateway(), IpAddress::parse("10.1.2.1"));
  EXPECT_FALSE(plan->routes[1].gateway());
  // No IPv6 address: nothing switches IPv6 on.
  for (const auto& setting : plan->settings)
    EXPECT_EQ(setting.name.find("disable_ipv6"), std::string::npos);
}

TEST(InterfacePlanTest, AnAddressOfAnotherInterfaceIsRefused) {
  for (const int index : {-1, 0, 2}) {
    const AddResult result{
        .interfaces = {{.name = "cni0"}, {.name = "eth0"}},
        .ips = {{.interface = index, .address = InterfaceAddress::parse("10.1.2.5/24").value()}}};
    EXPECT_EQ(plan_interface(result, "eth0", {}).error().message,
              "failed to add IP addr 10.1.2.5/24 to \"eth0\": invalid interface index");
  }
}

TEST(Masquerade, NamesAreThoseOfTheGoPlugins) {
  EXPECT_EQ(sha512_hex("abc", 32), "ddaf35a193617abacc417349ae204131");
  EXPECT_EQ(sha512_hex("", 16), "cf83e1357eefb8bd");
  EXPECT_EQ(sha512_hex(std::string(200, 'a'), 16),
            sha512_hex(std::string(200, 'a'), 128).substr(0, 16));
  EXPECT_EQ(network_hash("unit-test"), "6fd94d501e58f0aa");
  EXPECT_EQ(network_hash("alternate"), "82783ef24bdc7036");
  EXPECT_EQ(attachment_hash({.network = "unit-test", .container_id = "one", .ifname = "eth0"}),
            "6fd94d501e58f0aa-287fc69eff0574a2");
  EXPECT_EQ(attachment_hash({.network = "alternate", .container_id = "three", .ifname = "net1"}),
            "82783ef24bdc7036-acb19d111858e348");
  const AttachmentName long_name{
      .network = std::string(100, 'n'), .container_id = std::string(64, 'c'), .ifname = "eth0"};
  const auto rule = masquerade_rule(long_name, InterfaceAddress::parse("10.1.2.5/24").value());
  EXPECT_LE(rule.comment.size(), 127U);
  EXPECT_EQ(container_chain(long_name).size(), 28U);
}

TEST(BridgeVlans, ReadBackAsTheyWereWritten) {
  const kernel::BridgeVlan vlan{.id = 100, .pvid = true, .untagged = true};
  const auto request = kernel::encode_add_vlan(LinkIndex{7}, vlan);
  std::string bytes(request.message());
  auto* header = reinterpret_cast<nlmsghdr*>(bytes.data());
  header->nlmsg_type = 16;  // RTM_NEWLINK: how the kernel reports what RTM_SETLINK sets
  std::string_view left = bytes;
  kernel::Message message;
  ASSERT_TRUE(kernel::take_message(left, message));
  EXPECT_EQ(kernel::decode_port_vlans(message),
            (kernel::PortVlans{.port = LinkIndex{7}, .vlans = {vlan}}));
}

}  // namespace
}  // namespace weft::cni
