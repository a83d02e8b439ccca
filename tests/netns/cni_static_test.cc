// The static plugin as a program: the cases of containernetworking/plugins,
// plugins/ipam/static/static_test.go, in every version of the specification.
#include <gtest/gtest.h>

#include "support/cni_plugins.h"

namespace weft {
namespace {

using test::ContainerPort;
using test::PluginReply;
using test::WeftPlugins;

class CniStatic : public testing::TestWithParam<const char*> {
 protected:
  /// `ipam` are the members inside of it, `more` those beside it, each with a comma in front.
  std::string config(const std::string& ipam, const std::string& more = {}) const {
    return without_ipam(R"(,"ipam":{"type":"static")" + ipam + "}" + more);
  }
  std::string without_ipam(const std::string& more) const {
    return R"({"cniVersion":")" + version() + R"(","name":"mynet","type":"ipvlan")" + more + "}";
  }
  PluginReply call(const std::string& command, const std::string& text,
                   const std::string& args = {}) const {
    return weft_.folder().call("static", command,
                               {.id = "dummy", .netns = "/some/where", .args = args}, text);
  }
  std::string version() const { return GetParam(); }
  bool is_old() const { return version() < "0.3.0"; }
  /// Addresses of a result, with gateways: "10.10.0.1/24>10.10.0.254 ".
  std::string ips(const PluginReply& reply) const {
    std::string text;
    const auto add = [&](const Json& ip, const char* key) {
      text += ip[key].get<std::string>();
      if (ip.contains("gateway")) text += ">" + ip["gateway"].get<std::string>();
      text += " ";
    };
    for (const char* family : {"ip4", "ip6"})
      if (reply.json.contains(family)) add(reply.json[family], "ip");
    if (reply.json.contains("ips"))
      for (const auto& ip : reply.json["ips"]) add(ip, "address");
    return text;
  }
  void expect_refused(const std::string& text, const std::string& message,
                      const std::string& args = {}) const {
    const PluginReply reply = call("ADD", text, args);
    EXPECT_EQ(reply.code(), 999);
    EXPECT_EQ(reply.message(), message);
  }

 private:
  WeftPlugins weft_;
};

constexpr const char* kBoth = R"(,"addresses":[{"address":"10.10.0.1/24","gateway":"10.10.0.254"},
    {"address":"3ffe:ffff:0:01ff::1/64","gateway":"3ffe:ffff:0::1"}],
    "routes":[{"dst":"0.0.0.0/0"},{"dst":"192.168.0.0/16","gw":"10.10.5.1"},
              {"dst":"3ffe:ffff:0:01ff::/64"}],
    "dns":{"nameservers":["8.8.8.8"],"domain":"example.com","search":["example.com"]})";

TEST_P(CniStatic, AllocatesAndReleasesAddressesWithAddAndDel) {
  const PluginReply added = call("ADD", config(kBoth));
  ASSERT_TRUE(added.ok()) << added.output;
  EXPECT_EQ(ips(added), "10.10.0.1/24>10.10.0.254 3ffe:ffff:0:1ff::1/64>3ffe:ffff::1 ");
  EXPECT_EQ(added.json["dns"]["nameservers"][0], "8.8.8.8");
  const Json& routes = is_old() ? added.json["ip4"]["routes"] : added.json["routes"];
  EXPECT_EQ(routes[1]["dst"], "192.168.0.0/16");
  EXPECT_EQ(routes[1]["gw"], "10.10.5.1");
  EXPECT_EQ(added.output.find("\"version\":") != std::string::npos,
            !is_old() && version() < "1.0.0");
  const PluginReply deleted = call("DEL", config(kBoth));
  EXPECT_TRUE(deleted.ok());
  EXPECT_EQ(deleted.output, "");
}

TEST_P(CniStatic, KeepsRoutesWithTheSameDestination) {
  if (is_old()) return;  // their form of a result has no such list
  const PluginReply added = call("ADD", config(R"(,"addresses":[{"address":"10.10.0.1/24"}],
        "routes":[{"dst":"0.0.0.0/0","gw":"10.10.0.2"},{"dst":"0.0.0.0/0","gw":"10.10.0.3"}])"));
  ASSERT_TRUE(added.ok()) << added.output;
  EXPECT_EQ(added.json["routes"].size(), 2U);
}

TEST_P(CniStatic, DoesntErrorWhenPassedAnUnknownIdOnDel) {
  EXPECT_TRUE(call("DEL", config(R"(,"addresses":[{"address":"10.10.0.1/24"}])")).ok());
}

TEST_P(CniStatic, AllocatesAddressesWithEnvVariables) {
  const PluginReply added = call("ADD", config(R"(,"routes":[{"dst":"0.0.0.0/0"}])"),
                                 "IP=10.10.0.1/24;GATEWAY=10.10.0.254;IgnoreUnknown=1;COLOUR=red");
  ASSERT_TRUE(added.ok()) << added.output;
  EXPECT_EQ(ips(added), "10.10.0.1/24>10.10.0.254 ");
}

TEST_P(CniStatic, AllocatesMultipleAddressesWithEnvVariables) {
  const std::string args = "IP=10.10.0.1/24, 11.11.0.1/24;GATEWAY=10.10.0.254,11.11.0.254";
  const PluginReply added = call("ADD", config(""), args);
  if (is_old()) {
    EXPECT_EQ(added.message(),
              "CNI version " + version() + " does not support more than 1 address per family");
    return;
  }
  EXPECT_EQ(ips(added), "10.10.0.1/24>10.10.0.254 11.11.0.1/24>11.11.0.254 ");
  // They stand behind what the configuration has.
  EXPECT_EQ(ips(call("ADD", config(R"(,"addresses":[{"address":"10.10.0.9/24"}])"), args)),
            "10.10.0.9/24 10.10.0.1/24>10.10.0.254 11.11.0.1/24>11.11.0.254 ");
}

constexpr const char* kRuntime =
    R"(,"RuntimeConfig":{"ips":["10.10.0.1/24","3ffe:ffff:0:01ff::1/64"]})";
constexpr const char* kArgs =
    R"(,"args":{"cni":{"ips":["10.10.0.2/24","3ffe:ffff:0:01ff::2/64"]}})";
constexpr const char* kVariable = "IP=10.10.0.3/24,11.11.0.3/24;GATEWAY=10.10.0.254";

TEST_P(CniStatic, AllocatesMultipleAddressesFromRuntimeConfig) {
  EXPECT_EQ(ips(call("ADD", config("", kRuntime))), "10.10.0.1/24 3ffe:ffff:0:1ff::1/64 ");
}

TEST_P(CniStatic, AllocatesMultipleAddressesFromArgs) {
  EXPECT_EQ(ips(call("ADD", config("", kArgs), kVariable)), "10.10.0.2/24 3ffe:ffff:0:1ff::2/64 ");
}

TEST_P(CniStatic, RuntimeConfigIsStrongerThanArgsAndCniArgs) {
  const std::string all = std::string(kRuntime) + kArgs;
  // What is replaced may be wrong.
  EXPECT_EQ(ips(call("ADD", config(R"(,"addresses":[{"address":"none"}])", all), kVariable)),
            "10.10.0.1/24 3ffe:ffff:0:1ff::1/64 ");
}

TEST_P(CniStatic, IsReturningAnErrorOnMissingIpamKeyWhenArgsOrRuntimeConfigAreSet) {
  expect_refused(without_ipam(kArgs), "IPAM config missing 'ipam' key", "IP=10.10.0.1/24");
  expect_refused(without_ipam(kRuntime), "IPAM config missing 'ipam' key");
}

TEST_P(CniStatic, ErrorsWhenPassedAnInvalidCidr) {
  expect_refused(config(R"(,"addresses":[{"address":"10.10.0.1"}])"),
                 "the 'address' field is expected to be in CIDR notation, got: '10.10.0.1'");
  expect_refused(config("", R"(,"args":{"cni":{"ips":["10.10.0.1"]}})"),
                 "an entry in the 'ips' field is NOT in CIDR notation, got: '10.10.0.1'");
  expect_refused(config("", R"(,"runtimeConfig":{"ips":["10.10.0.1/33"]})"),
                 "an entry in the 'ips' field is NOT in CIDR notation, got: '10.10.0.1/33'");
  expect_refused(config(""), "the 'ip' field is expected to be in CIDR notation, got: '10.10.0.1'",
                 "IP=10.10.0.1");
  expect_refused(config(""), "invalid gateway address: x", "IP=10.10.0.1/24;GATEWAY=x");
}

TEST_P(CniStatic, CheckComparesTheGateway) {
  const PluginReply added = call("ADD", config(kBoth));
  ASSERT_TRUE(added.ok());
  Json checked = parse_json(config(kBoth)).value();
  const PluginReply without = call("CHECK", to_text(checked));
  if (version() < "0.4.0") {
    EXPECT_EQ(without.code(), 1);
    return;
  }
  EXPECT_EQ(without.message(), "Required prevResult missing");
  checked["prevResult"] = added.json;
  EXPECT_TRUE(call("CHECK", to_text(checked)).ok());
  checked["prevResult"]["ips"][0]["gateway"] = "10.10.0.253";
  EXPECT_EQ(call("CHECK", to_text(checked)).message(),
            "static: Failed to match addr 10.10.0.1 on interface eth0");
  checked["prevResult"]["ips"].erase(0);
  EXPECT_TRUE(call("CHECK", to_text(checked)).ok());
}

INSTANTIATE_TEST_SUITE_P(Versions, CniStatic,
                         testing::Values("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0",
                                         "1.1.0"));

}  // namespace
}  // namespace weft
