#include <gtest/gtest.h>

#include "cni/plugins/sbr_plan.h"
#include "unit/cni/call_of.h"

namespace weft::cni {
namespace {

CniResult<SbrConfig> config_of(const std::string& members) {
  return read_sbr_config(CallOf(R"({"name":"n","type":"sbr")" + members + "}").call);
}

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

ResultIp address(const char* text, const char* gateway = nullptr) {
  ResultIp result{.address = InterfaceAddress::parse(text).value()};
  if (gateway != nullptr) result.gateway = ip(gateway);
  return result;
}

Route route(const char* destination, const char* gateway = nullptr, const char* source = nullptr) {
  Route result{.key = {.destination = Prefix::parse(destination).value()},
               .hops = {{.link = LinkIndex{2}}}};
  if (gateway != nullptr) result.hops[0].gateway = ip(gateway);
  if (gateway == nullptr && result.key.destination.family() == Family::kIpv4)
    result.scope = RouteScope::kLink;
  if (source != nullptr) result.source = ip(source);
  return result;
}

std::vector<std::string> shown(const std::vector<Route>& routes) {
  std::vector<std::string> lines;
  for (const auto& each : routes)
    lines.push_back(std::to_string(static_cast<std::uint32_t>(each.key.table)) + " " +
                    describe(each, "") +
                    (each.source ? " from " + each.source->to_string() : std::string()));
  return lines;
}

std::vector<std::string> shown(const std::vector<PolicyRule>& rules) {
  std::vector<std::string> lines;
  for (const auto& rule : rules)
    lines.push_back(rule.source->to_string() + " " +
                    std::to_string(static_cast<std::uint32_t>(rule.table)));
  return lines;
}

using Lines = std::vector<std::string>;

TEST(SbrConfigTest, Gateways) {
  EXPECT_EQ(config_of(R"(,"gateways":["10.0.0.1","fd00::1"])")->gateway_v6, ip("fd00::1"));
  EXPECT_EQ(config_of(R"(,"gateways":["10.0.0.1","10.0.0.2"])").error().message,
            "gateways list contains multiple IPv4 addresses: 10.0.0.1 and 10.0.0.2");
  EXPECT_EQ(config_of(R"(,"gateways":["fd00::1","fd00::2"])").error().message,
            "gateways list contains multiple IPv6 addresses: fd00::1 and fd00::2");
  EXPECT_FALSE(config_of(R"(,"gateways":["10.0.0"])"));
  EXPECT_FALSE(config_of(R"(,"gateways":"10.0.0.1")"));
  EXPECT_FALSE(config_of(R"(,"table":"1")"));
  EXPECT_EQ(config_of(R"(,"table":5000)")->table, RouteTable{5000});
}

TEST(SbrAddresses, AreThoseOfTheDeviceAndOfNone) {
  AddResult result{.interfaces = {{.name = "eth0"}, {.name = "net1"}}};
  EXPECT_EQ(addresses_on(result, "eth0").error().message,
            "No IP addresses supplied on interface: eth0");
  for (const auto& [index, text] :
       {std::pair{0, "10.0.0.1/24"}, std::pair{1, "10.0.0.2/24"}, std::pair{9, "10.0.0.3/24"}}) {
    result.ips.push_back(address(text));
    result.ips.back().interface = index;
  }
  result.ips.push_back(address("10.0.0.4/24"));
  const auto found = addresses_on(result, "eth0");
  ASSERT_EQ(found->size(), 3U);
  EXPECT_EQ((*found)[1].address.to_string(), "10.0.0.3/24");
}

const SbrFacts kFacts{
    .link = LinkIndex{2},
    .routes = {route("192.168.1.0/24", nullptr, "192.168.1.9"), route("10.0.0.0/8", "192.168.1.7"),
               route("192.168.2.0/24", nullptr, "192.168.2.9"), route("10.9.0.0/16")},
    .used_tables = {RouteTable::kMain, RouteTable{100}, RouteTable{102}}};

TEST(SbrPlanTest, EveryAddressGetsATableOfItsOwn) {
  const auto plan =
      plan_sbr({}, {address("192.168.1.9/24", "192.168.1.1"), address("192.168.2.9/24")}, kFacts);
  EXPECT_EQ(shown(plan.rules), (Lines{"192.168.1.9/32 101", "192.168.2.9/32 103"}));
  EXPECT_EQ(shown(plan.puts),
            (Lines{"101 0.0.0.0/0 via 192.168.1.1", "101 192.168.1.0/24 from 192.168.1.9",
                   "101 10.0.0.0/8 via 192.168.1.7", "101 10.9.0.0/16",
                   "103 192.168.2.0/24 from 192.168.2.9", "103 10.9.0.0/16"}));
  EXPECT_EQ(plan.removals, kFacts.routes);
  EXPECT_TRUE(plan.hints.empty());
}

TEST(SbrPlanTest, GivenGatewaysWin) {
  const auto plan = plan_sbr({.gateway_v4 = ip("192.168.1.254"), .gateway_v6 = ip("fd00::ff")},
                             {address("192.168.1.9/24", "192.168.1.1"), address("fd00::9/64")}, {});
  EXPECT_EQ(shown(plan.puts), (Lines{"100 0.0.0.0/0 via 192.168.1.254", "101 ::/0 via fd00::ff"}));
}

TEST(SbrPlanTest, WithATableThereAreRulesAlone) {
  const auto plan =
      plan_sbr({.table = RouteTable{5000}},
               {address("192.168.1.9/24", "192.168.1.1"), address("fd00::9/64")}, kFacts);
  EXPECT_EQ(shown(plan.rules), (Lines{"192.168.1.9/32 5000", "fd00::9/128 5000"}));
  EXPECT_TRUE(plan.puts.empty());
  EXPECT_TRUE(plan.removals.empty());
}

TEST(SbrPlanTest, WithSourceHintsTheLinkStaysInTheMainTable) {
  SbrFacts facts = kFacts;
  facts.routes.push_back(route("fd00::/64"));
  facts.routes.push_back(route("::/0", "fd00::1"));
  const auto plan =
      plan_sbr({.source_hints = true},
               {address("192.168.1.9/24", "192.168.1.1"), address("fd00::9/64")}, facts);
  EXPECT_EQ(shown(plan.removals),
            (Lines{"254 10.0.0.0/8 via 192.168.1.7", "254 fd00::/64", "254 ::/0 via fd00::1"}));
  EXPECT_EQ(shown(plan.hints),
            (Lines{"254 192.168.1.0/24 from 192.168.1.9", "254 fd00::/64 from fd00::9"}));
}

TEST(SbrRoutes, AreMissedOneByOne) {
  const ResultIp nine = address("192.168.1.9/24", "192.168.1.1");
  const auto wanted = [](const char* to, const char* gateway) {
    return ResultRoute{.destination = Prefix::parse(to).value(), .gateway = ip(gateway)};
  };
  AddResult result{.routes = {wanted("0.0.0.0/0", "192.168.1.1"),
                              wanted("10.0.0.0/8", "192.168.1.7"),
                              wanted("10.9.0.0/16", "192.168.2.1")}};
  result.routes.push_back(wanted("10.8.0.0/16", "192.168.1.7"));
  result.routes.back().table = 77;
  const auto missing = [&](const SbrConfig& config, const std::vector<Route>& present) {
    const auto prefix = missing_route(config, nine, result, present);
    return prefix ? prefix->to_string() : "";
  };
  const Route all = route("0.0.0.0/0", "192.168.1.1");
  const Route ten = route("10.0.0.0/8", "192.168.1.7");
  EXPECT_EQ(missing({}, {all, ten}), "");
  EXPECT_EQ(missing({}, {ten}), "0.0.0.0/0");
  EXPECT_EQ(missing({}, {all}), "10.0.0.0/8");
  EXPECT_EQ(missing({}, {all, route("10.0.0.0/8", "192.168.1.8")}), "10.0.0.0/8");
  EXPECT_EQ(missing({.gateway_v4 = ip("192.168.1.254")}, {all, ten}), "");
  // Neither the address nor the configuration has a gateway.
  EXPECT_FALSE(missing_route({}, address("192.168.1.9/24"), result, {ten}));
}

TEST(SbrRules, AreFoundBySourceAndTable) {
  const auto from = [](const char* source, std::uint32_t table) {
    return PolicyRule{.family = Prefix::parse(source)->family(),
                      .priority = 7,
                      .source = Prefix::parse(source),
                      .table = RouteTable{table}};
  };
  const std::vector<PolicyRule> rules = {{.priority = 0},          from("10.0.0.9/32", 100),
                                         from("10.0.0.8/32", 100), from("10.0.0.9/32", 5),
                                         from("10.0.0.0/24", 100), from("fd00::9/128", 100)};
  EXPECT_EQ(shown(rules_from({}, rules, {ip("10.0.0.9"), ip("fd00::9"), ip("10.0.0.0")})),
            (Lines{"10.0.0.9/32 100", "10.0.0.9/32 5", "fd00::9/128 100"}));
  EXPECT_EQ(shown(rules_from({.table = RouteTable{5}}, rules, {ip("10.0.0.9")})),
            (Lines{"10.0.0.9/32 5"}));
}

}  // namespace
}  // namespace weft::cni
