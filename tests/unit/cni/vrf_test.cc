#include <gtest/gtest.h>

#include "cni/plugins/vrf_config.h"
#include "unit/cni/call_of.h"

namespace weft::cni {
namespace {

CniResult<VrfConfig> config_of(const std::string& members) {
  return read_vrf_config(CallOf(R"({"name":"n","type":"vrf")" + members + "}").call);
}

TEST(VrfConfigTest, NameAndTable) {
  EXPECT_EQ(config_of(R"(,"vrfname":"red","table":1001)")->table, RouteTable{1001});
  EXPECT_EQ(config_of(R"(,"vrfname":"red")")->table, RouteTable{0});
  for (const char* members :
       {"", R"(,"vrfname":"")", R"(,"vrfname":"a/b")", R"(,"vrfname":"a-name-that-is-long")"})
    EXPECT_EQ(config_of(members).error().message,
              "configuration is expected to have a valid vrf name");
  EXPECT_FALSE(config_of(R"(,"vrfname":"red","table":-1)"));
  EXPECT_FALSE(config_of(R"(,"vrfname":"red","table":"7")"));
}

Link vrf(std::uint32_t table) {
  return {.name = "vrf" + std::to_string(table), .kind = "vrf", .vrf = VrfOptions{table}};
}

TEST(VrfTables, TheFirstFreeOneIsTaken) {
  EXPECT_EQ(free_vrf_table({}), RouteTable{1});
  EXPECT_EQ(free_vrf_table({vrf(1), vrf(5)}), RouteTable{2});
  EXPECT_EQ(free_vrf_table({vrf(5), vrf(1), vrf(2)}), RouteTable{3});
  EXPECT_EQ(free_vrf_table({{.name = "br0", .kind = "bridge"}}), RouteTable{1});
  std::vector<Link> many;
  for (std::uint32_t i = 1; i < 1000; ++i) many.push_back(vrf(i));
  EXPECT_EQ(free_vrf_table(many), RouteTable{1000});
}

LinkAddress address(const char* text, RouteScope scope = RouteScope::kUniverse) {
  return {.key = {.link = LinkIndex{2}, .address = InterfaceAddress::parse(text).value()},
          .scope = scope};
}

TEST(VrfAddresses, WhatTheKernelDropsIsFound) {
  const std::vector<LinkAddress> before = {address("10.0.0.2/24"), address("fd00::2/64"),
                                           address("fd00::3/64"),
                                           address("fe80::1/64", RouteScope::kLink)};
  EXPECT_EQ(lost_addresses(before, {address("fd00::3/64")}), std::vector{address("fd00::2/64")});
  EXPECT_TRUE(lost_addresses(before, before).empty());
}

TEST(VrfRoutes, ThoseOfTheDeviceMoveTheirGatewaysFirst) {
  const auto route = [](const char* destination, int link) {
    return Route{.key = {.destination = Prefix::parse(destination).value()},
                 .hops = {{.link = LinkIndex{link}}}};
  };
  Route kernels = route("10.0.0.0/24", 2);
  kernels.scope = RouteScope::kLink;
  kernels.protocol = RouteProtocol::kKernel;
  Route through = route("10.9.0.0/16", 2);
  through.hops[0].gateway = IpAddress::parse("10.6.0.1");
  // As the ptp plugin makes it: the way to its gateway.
  Route gateway = route("10.6.0.1/32", 2);
  gateway.scope = RouteScope::kLink;
  const auto moved = moved_routes({kernels,
                                   through,
                                   route("10.8.0.0/16", 3),
                                   gateway,
                                   route("fd00::/64", 2),
                                   {.key = {.destination = Prefix::parse("10.7.0.0/16").value()},
                                    .type = RouteType::kBlackhole}},
                                  LinkIndex{2}, RouteTable{7});
  std::vector<std::string> order;
  for (const auto& one : moved) {
    order.push_back(one.key.destination.to_string());
    EXPECT_EQ(one.key.table, RouteTable{7});
  }
  EXPECT_EQ(order, (std::vector<std::string>{"10.6.0.1/32", "fd00::/64", "10.9.0.0/16"}));
}

}  // namespace
}  // namespace weft::cni
