#include <gtest/gtest.h>

#include "cni/plugins/tuning_backup.h"
#include "unit/cni/call_of.h"

namespace weft::cni {
namespace {

CniResult<TuningConfig> config_of(const std::string& members, const std::string& args = {}) {
  return read_tuning_config(CallOf(R"({"name":"n","type":"tuning")" + members + "}", args).call);
}

std::string name_of(const std::string& key) {
  const auto config = config_of(R"(,"sysctl":{")" + key + R"(":"1"})");
  return config ? config->settings.at(0).name : config.error().message;
}

TEST(TuningConfigTest, KeysOfSysctls) {
  EXPECT_EQ(name_of("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
  EXPECT_EQ(name_of("net/ipv4/ip_forward"), "net/ipv4/ip_forward");
  EXPECT_EQ(name_of("net.ipv4.conf.IFNAME.forwarding"), "net/ipv4/conf/eth0/forwarding");
  EXPECT_EQ(name_of("net.ipv4/conf.all.forwarding"), "net/ipv4/conf/all/forwarding");
  EXPECT_EQ(name_of("net/ipv4/conf/eth0.100/forwarding"), "net/ipv4/conf/eth0.100/forwarding");
  for (const char* key :
       {"kernel.hostname", "net", "net.", "", "net/../kernel/hostname", "net/ipv4/../../kernel",
        "netx.y", "/net/ipv4", "net//ipv4", "net/./ipv4", "net..ipv4", "net/ipv4/\\u0000"})
    EXPECT_NE(name_of(key).find("invalid net sysctl key: "), std::string::npos) << key;
}

TEST(TuningConfigTest, TheDeviceMayHaveADotInItsName) {
  Environment environment{.container_id = "c1", .ifname = "eth0.7"};
  const Json json = parse_json(R"({"sysctl":{"net.ipv4.conf.IFNAME.arp_notify":"1"}})").value();
  const std::string text = to_text(json);
  const Call call{environment, json, text, "n", "1.0.0", {}};
  EXPECT_EQ(read_tuning_config(call)->settings[0].name, "net/ipv4/conf/eth0.7/arp_notify");
}

TEST(TuningConfigTest, AKeyMayStandOnce) {
  struct {
    const char* members;
    bool refused;
  } const cases[] = {
      {R"(,"sysctl":{"net.a":"1","net.a":"0"})", true},
      {R"(,"SysCtl":{"net.a":"1","net.b":"2" , "net.a" :"0"})", true},
      {R"(,"sysctl":{"net.a":"1","net\u002ea":"0"})", true},
      {R"(,"sysctl":{"net.a":"1"},"Sysctl":{"net.a":"0"})", true},
      {R"(,"sysctl":{"net.a":"1","net.b":"net.a"})", false},
      {R"(,"sysctl":{"net.a":"1"},"other":{"net.a":"1","net.a":"2"})", false},
      {R"(,"other":{"sysctl":{"net.a":"1","net.a":"2"}},"sysctl":{"net.a":"\"{"})", false},
  };
  for (const auto& c : cases) {
    const auto config = config_of(c.members);
    EXPECT_EQ(!config, c.refused) << c.members;
    if (config) continue;
    EXPECT_EQ(config.error().message, "duplicated sysctl keys are not allowed");
  }
}

TEST(TuningConfigTest, TheStrongestMacWins) {
  const std::string own = R"(,"mac":"02:00:00:00:00:01")";
  const std::string runtime = R"(,"runtimeConfig":{"mac":"02:00:00:00:00:03"})";
  const std::string args = R"(,"args":{"cni":{"mac":"02:00:00:00:00:04"}})";
  const std::string variable = "MAC=02:00:00:00:00:02";
  EXPECT_EQ(config_of(own)->mac_text, "02:00:00:00:00:01");
  EXPECT_EQ(config_of(own, variable)->mac_text, "02:00:00:00:00:02");
  EXPECT_EQ(config_of(own + runtime, variable)->mac_text, "02:00:00:00:00:03");
  EXPECT_EQ(config_of(own + runtime + args, variable)->mac_text, "02:00:00:00:00:04");
  EXPECT_EQ(config_of(R"(,"mac":"x")").error().message,
            "invalid args x for MAC addr: address x: invalid MAC address");
}

TEST(TuningConfigTest, ArgsReplaceAndAdd) {
  const auto config = config_of(
      R"(,"sysctl":{"net.a":"1","net.b":"1"},"mtu":1400,"txQLen":5,"promisc":true,"allmulti":true,
         "args":{"cni":{"sysctl":{"net.b":"2","net.c":"3"},"mtu":1300,"txQLen":6,"promisc":false,
                        "allmulti":false}})");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->settings.size(), 3U);
  EXPECT_EQ(config->settings[1], (TuningConfig::Setting{"net.b", "net/b", "2"}));
  EXPECT_EQ(config->settings[2].value, "3");
  EXPECT_EQ(config->attributes,
            (TuningAttributes{.mtu = 1300, .all_multicast = false, .tx_queue_length = 6}));
  // Without sysctls of its own, too.
  EXPECT_EQ(config_of(R"(,"args":{"cni":{"sysctl":{"net.b":"2"}}})")->settings.size(), 1U);
}

TEST(TuningConfigTest, NothingIsAskedForByNothing) {
  EXPECT_TRUE(config_of(R"(,"mtu":0,"promisc":false,"mac":"","sysctl":null)")->attributes.empty());
  EXPECT_EQ(config_of(R"(,"txQLen":0)")->attributes.tx_queue_length, 0U);
}

TEST(TuningConfigTest, WrongTypesAreRefused) {
  for (const char* members :
       {R"(,"mtu":"1400")", R"(,"mtu":-1)", R"(,"promisc":1)", R"(,"sysctl":{"net.a":1})",
        R"(,"sysctl":[])", R"(,"args":[])", R"(,"args":{"cni":7})", R"(,"runtimeConfig":{"mac":1})",
        R"(,"txQLen":1.5)", R"(,"allmulti":"yes")"})
    EXPECT_FALSE(config_of(members)) << members;
}

TEST(TuningConfigTest, Allowlist) {
  const auto config = config_of(R"(,"sysctl":{"net.ipv4.conf.all.log_martians":"1"})");
  const auto verdict = [&](const char* list) {
    const auto status = check_allowlist(*config, list);
    return status ? std::string("allowed") : status.error().message;
  };
  EXPECT_EQ(verdict("^net\\.ipv4\\.conf\\.[a-z]*\\.log_martians$"), "allowed");
  EXPECT_EQ(verdict("\n  nothing \r\n\tlog_mart.*  \n"), "allowed");
  EXPECT_EQ(verdict("^net.ipv6\n^kernel\n"),
            "Sysctl net.ipv4.conf.all.log_martians is not allowed. Only the following sysctls are "
            "allowed: [^net.ipv6 ^kernel]");
  EXPECT_NE(verdict("").find("is not allowed"), std::string::npos);
  EXPECT_NE(verdict("log_martians\n(").find("no regular expression"), std::string::npos);
}

TEST(TuningBackupTest, IsGosText) {
  const TuningAttributes all{.mac = MacAddress::parse("02:00:00:00:00:01"),
                             .promiscuous = false,
                             .mtu = 1500,
                             .all_multicast = true,
                             .tx_queue_length = 1000};
  const char* const text =
      "{\n \"mac\": \"02:00:00:00:00:01\",\n \"promisc\": false,\n \"mtu\": 1500,\n"
      " \"allmulti\": true,\n \"txQLen\": 1000\n}";
  EXPECT_EQ(encode_tuning_backup(all), text);
  EXPECT_EQ(*decode_tuning_backup(text), all);
  EXPECT_EQ(encode_tuning_backup({}), "{}");
  EXPECT_FALSE(decode_tuning_backup("nonsense"));
  EXPECT_FALSE(decode_tuning_backup(R"({"mtu":"1500"})"));
}

TEST(TuningResult, HasTheNewMacOnTheContainersDevice) {
  const auto config = config_of(R"(,"mac":"02:00:00:00:00:0A")");
  AddResult result{.interfaces = {{.name = "eth0", .mac = "h"},
                                  {.name = "eth0", .mac = "c", .sandbox = "/ns"},
                                  {.name = "eth1", .mac = "d", .sandbox = "/ns"}}};
  update_mac(result, "eth0", *config);
  EXPECT_EQ(result.interfaces[0].mac, "h");
  EXPECT_EQ(result.interfaces[1].mac, "02:00:00:00:00:0A");
  EXPECT_EQ(result.interfaces[2].mac, "d");
}

}  // namespace
}  // namespace weft::cni
