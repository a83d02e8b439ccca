#include "cni/device_plan.h"

#include <gtest/gtest.h>

#include "cni/plugins/dummy_config.h"
#include "cni/plugins/host_device_config.h"
#include "cni/plugins/ipvlan_config.h"
#include "cni/plugins/macvlan_config.h"
#include "cni/plugins/ptp_config.h"
#include "cni/plugins/tap_config.h"
#include "cni/plugins/vlan_config.h"
#include "unit/cni/call_of.h"

namespace weft::cni {
namespace {

using Plan = CniResult<DevicePlan> (*)(const Call&, Command);

CniResult<DevicePlan> plan_of(Plan plan, const std::string& members, const std::string& args = {},
                              Command command = Command::kAdd) {
  return plan(CallOf(R"({"cniVersion":"1.0.0","name":"n","type":"x")" + members + "}", args).call,
              command);
}

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

TEST(DevicePlans, Macvlan) {
  const auto plain = plan_of(plan_macvlan, "");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->device.macvlan->mode, MacvlanMode::kBridge);
  EXPECT_EQ(plain->parent->name, "");
  EXPECT_TRUE(plain->has_mac_of_its_own);
  const auto full =
      plan_of(plan_macvlan, R"(,"master":"eth1","linkInContainer":true,"mode":"passthru",
          "bcqueuelen":9,"mtu":1400,"mac":"02:00:00:00:00:01","ipam":{"type":"static"})",
              "MAC=02:00:00:00:00:02");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->device.macvlan,
            (MacvlanOptions{.mode = MacvlanMode::kPassthru, .broadcast_queue = 9}));
  EXPECT_EQ(full->parent->name, "eth1");
  EXPECT_TRUE(full->parent->in_container);
  EXPECT_EQ(full->mac, MacAddress::parse("02:00:00:00:00:02"));
  EXPECT_EQ(full->ipam_type, "static");
  EXPECT_FALSE(full->has_mac_of_its_own);
}

TEST(DevicePlans, Refusals) {
  struct {
    Plan plan;
    const char* members;
    const char* message;
  } const cases[] = {
      {plan_macvlan, R"(,"mode":"tree")", "unknown macvlan mode: \"tree\""},
      {plan_macvlan, R"(,"mac":"02")", "address 02: invalid MAC address"},
      {plan_ipvlan, R"(,"mode":"l4")", "unknown ipvlan mode: \"l4\""},
      {plan_vlan, R"(,"vlanId":7)",
       "\"master\" field is required. It specifies the host interface name to create the VLAN for"},
      {plan_vlan, R"(,"master":"eth0","vlanId":4095)",
       "invalid VLAN ID 4095 (must be between 0 and 4095 inclusive)"},
      {plan_vlan, R"(,"master":"eth0","vlanId":-1)",
       "invalid VLAN ID -1 (must be between 0 and 4095 inclusive)"},
      {plan_dummy, "", "dummy interface requires an IPAM configuration"},
      {plan_tap, R"(,"mtu":-5)", "invalid MTU -5"},
  };
  for (const auto& c : cases) {
    const auto plan = plan_of(c.plan, c.members);
    ASSERT_FALSE(plan) << c.members;
    EXPECT_EQ(plan.error().message, c.message);
  }
  for (const Plan plan : {Plan{plan_macvlan}, Plan{plan_ipvlan}, Plan{plan_vlan}, Plan{plan_tap}})
    EXPECT_FALSE(plan_of(plan, R"(,"master":"eth0","mtu":"1500")"));
}

constexpr const char* kChained = R"(,"prevResult":{"cniVersion":"1.0.0",
    "interfaces":[{"name":"bond0"}],"ips":[{"address":"10.1.2.3/24"}]})";

TEST(DevicePlans, IpvlanInAChain) {
  const auto chained = plan_of(plan_ipvlan, kChained);
  ASSERT_TRUE(chained);
  EXPECT_EQ(chained->parent->name, "bond0");
  ASSERT_TRUE(chained->given);
  EXPECT_EQ(chained->given->ips.size(), 1U);
  const auto with_ipam =
      plan_of(plan_ipvlan, R"(,"master":"eth1","ipam":{"type":"static"})" + std::string(kChained));
  ASSERT_TRUE(with_ipam);
  EXPECT_EQ(with_ipam->parent->name, "eth1");
  EXPECT_FALSE(with_ipam->given);
  // In a CHECK the result is the plugin's own.
  const auto checked = plan_of(plan_ipvlan, kChained, "", Command::kCheck);
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->parent->name, "");
}

TEST(DevicePlans, Tap) {
  const CallOf call(R"({"name":"n","multiQueue":true,"owner":0,"bridge":"br1",
      "selinuxContext":"a:b:c"})");
  const auto config = read_tap_config(call.call);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->tap, (TapOptions{.multi_queue = true, .owner = 0U}));
  EXPECT_EQ(config->bridge, "br1");
  EXPECT_EQ(config->selinux_context, "a:b:c");
  EXPECT_FALSE(read_tap_config(CallOf(R"({"name":"n","owner":-1})").call));
}

TEST(DevicePlans, HostDevice) {
  EXPECT_FALSE(read_host_device_config(CallOf(R"({"name":"n"})").call));
  EXPECT_FALSE(read_host_device_config(CallOf(R"({"name":"n","pciBusID":"../net"})").call));
  EXPECT_FALSE(
      read_host_device_config(CallOf(R"({"name":"n","runtimeConfig":{"deviceID":".."}})").call));
  const auto config = read_host_device_config(
      CallOf(R"({"name":"n","device":"eth1","dns":{"domain":"a.example"}})").call);
  ASSERT_TRUE(config);
  EXPECT_FALSE(config->plan.dns);
}

TEST(DevicePlans, TheMtuMustFitTheDeviceBelow) {
  const Link parent{.mtu = 1500};
  for (const std::int64_t mtu : {0, 1, 1500}) EXPECT_TRUE(check_mtu({.mtu = mtu}, &parent)) << mtu;
  for (const std::int64_t mtu : {-1LL, 1501LL, 1LL << 33})
    EXPECT_FALSE(check_mtu({.mtu = mtu}, &parent));
  EXPECT_TRUE(check_mtu({.mtu = 65000}, nullptr));
  EXPECT_FALSE(check_mtu({.mtu = 1LL << 31}, nullptr));
}

TEST(DevicePlans, TheDefaultRouteOfTheLowestMetricTellsTheMaster) {
  const auto route = [](const char* prefix, int link, std::uint32_t metric) {
    return Route{.key = {.destination = Prefix::parse(prefix).value(), .metric = metric},
                 .hops = {{.link = LinkIndex{link}}}};
  };
  const std::vector<Route> ipv4 = {route("10.0.0.0/8", 1, 0), route("0.0.0.0/0", 2, 200),
                                   route("0.0.0.0/0", 3, 100)};
  const std::vector<Route> ipv6 = {route("::/0", 4, 1024)};
  EXPECT_EQ(default_route_link(ipv4, ipv6), LinkIndex{3});
  EXPECT_EQ(default_route_link({ipv4[0]}, ipv6), LinkIndex{4});
  EXPECT_EQ(default_route_link({ipv4[0]}, {}), std::nullopt);
  EXPECT_EQ(default_route_link({{.key = {.destination = Prefix::parse("0.0.0.0/0").value()},
                                 .type = RouteType::kBlackhole}},
                               {}),
            std::nullopt);
}

TEST(DevicePlans, PtpLeadsEverythingThroughTheGateway) {
  const auto config = read_ptp_config(
      CallOf(R"({"name":"n","ipMasq":true,"dns":{"search":[]},"ipam":{"type":"static"}})").call);
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->ip_masq);
  EXPECT_EQ(config->device.dns, Dns{});
  EXPECT_FALSE(read_ptp_config(CallOf(R"({"name":"n","ipMasqBackend":"pf"})").call));
  const AddResult result{.interfaces = {{.name = "veth0"}, {.name = "eth0", .sandbox = "/x"}},
                         .ips = {{.interface = 1,
                                  .address = InterfaceAddress::parse("10.1.2.5/24").value(),
                                  .gateway = ip("10.1.2.1")}},
                         .routes = {{.destination = Prefix::parse("0.0.0.0/0").value()}}};
  const auto inside = plan_interface(result, "eth0", config->device.interface);
  ASSERT_TRUE(inside);
  EXPECT_FALSE(inside->prefix_routes);
  ASSERT_EQ(inside->routes.size(), 3U);
  EXPECT_EQ(inside->routes[0].key.destination, Prefix::host(ip("10.1.2.1")));
  EXPECT_EQ(inside->routes[0].scope, RouteScope::kLink);
  EXPECT_EQ(inside->routes[1].key.destination, Prefix::parse("10.1.2.0/24"));
  EXPECT_EQ(inside->routes[1].gateway(), ip("10.1.2.1"));
  EXPECT_EQ(inside->routes[2].gateway(), ip("10.1.2.1"));
  const PtpHost host = plan_ptp_host(result, LinkIndex{9});
  ASSERT_EQ(host.addresses.size(), 1U);
  EXPECT_EQ(host.addresses[0].key.address.to_string(), "10.1.2.1/32");
  ASSERT_EQ(host.routes.size(), 1U);
  EXPECT_EQ(host.routes[0].key.destination, Prefix::host(ip("10.1.2.5")));
  EXPECT_EQ(host.routes[0].link(), LinkIndex{9});
}

}  // namespace
}  // namespace weft::cni
