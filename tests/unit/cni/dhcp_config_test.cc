#include "cni/plugins/dhcp_config.h"

#include <gtest/gtest.h>

#include "cni/plugins/dhcp_daemon_options.h"
#include "cni/plugins/dhcp_records.h"

namespace weft::cni {
namespace {

CniResult<DhcpConfig> read(const std::string& ipam, const std::string& args = {}) {
  return read_dhcp_config(parse_json(R"({"name":"n","ipam":)" + ipam + "}").value(), args);
}

TEST(DhcpConfigTest, WhatIsAskedForAndProvided) {
  struct {
    const char* ipam;
    const char* args;
    DhcpOptions options;
  } const cases[] = {
      {"{}", "", {{DhcpOption::kParameters, "\3\1"}}},
      {R"({"request":[{"option":"routers"}]})", "", {{DhcpOption::kParameters, "\3\1"}}},
      {R"({"request":[{"option":"121"}]})", "", {{DhcpOption::kParameters, "\x79\3\1"}}},
      {R"({"request":[{"skipDefault":true}]})", "", {}},
      {R"({"request":[{"skipDefault":true,"option":"subnet-mask"}]})",
       "",
       {{DhcpOption::kParameters, "\1"}}},
      {R"({"request":[{"skipDefault":true}],"provide":[{"option":"host-name","value":"me"},
           {"option":"60","fromArg":"CLASS"}]})",
       "IgnoreUnknown=1;CLASS=x=y;K8S_POD_NAME=p",
       {{DhcpOption::kHostName, "me"}, {DhcpOption::kVendorClass, "x=y"}}},
      {R"({"request":[{"skipDefault":true}],"provide":[{"option":"12","value":"a",
           "fromArg":"NAME"}]})",
       "OTHER=b",
       {{DhcpOption::kHostName, "a"}}},
  };
  for (const auto& c : cases) {
    const auto config = read(c.ipam, c.args);
    ASSERT_TRUE(config) << c.ipam;
    EXPECT_EQ(config->options, c.options) << c.ipam;
    EXPECT_EQ(config->socket, "/run/cni/dhcp.sock");
  }
  EXPECT_EQ(read(R"({"daemonSocketPath":"/x","priority":5})")->socket, "/x");
  EXPECT_EQ(read(R"({"priority":5})")->priority, 5U);
}

TEST(DhcpConfigTest, Refusals) {
  const std::string too_long(256, 'x');
  for (const std::string& ipam :
       {std::string(R"({"request":[{"option":"nonsense"}]})"),
        std::string(R"({"request":[{"option":"256"}]})"),
        std::string(R"({"provide":[{"option":"-1","value":"x"}]})"),
        R"({"provide":[{"option":"12","value":")" + too_long + "\"}]}",
        std::string(R"({"priority":"high"})"), std::string(R"({"request":7})"), std::string("7")})
    EXPECT_FALSE(read(ipam)) << ipam;
  EXPECT_EQ(read_dhcp_config(Json::object(), "").error().message, "IPAM config missing 'ipam' key");
}

TEST(DhcpConfigTest, TheClientIdFitsOneOption) {
  EXPECT_EQ(dhcp_client_id("c1", "n", "eth0"), std::string("\0c1/n/eth0", 10));
  const std::string id = dhcp_client_id(std::string(300, 'c'), "n", "eth0");
  EXPECT_EQ(id, std::string(1, '\0') + std::string(254, 'c'));
}

TEST(DhcpDaemonOptionsTest, FlagsAsGoTakesThem) {
  const auto options = parse_dhcp_daemon_options(
      {"-pidfile", "/run/x.pid", "--hostprefix=/host", "-socketpath=/x.sock", "-timeout", "1m30s",
       "-resendmax=2s500ms", "--resendtimeout", "1h", "-broadcast"});
  ASSERT_TRUE(options) << options.error().text();
  EXPECT_EQ(options->pid_file, "/run/x.pid");
  EXPECT_EQ(options->host_prefix, "/host");
  EXPECT_EQ(options->socket, "/x.sock");
  EXPECT_EQ(options->timeouts.answer, std::chrono::seconds(90));
  EXPECT_EQ(options->timeouts.longest_resend, DhcpTime(2500));
  EXPECT_EQ(options->timeouts.give_up, std::chrono::hours(1));
  EXPECT_TRUE(options->broadcast);
  EXPECT_FALSE(parse_dhcp_daemon_options({"-broadcast=false"})->broadcast);
  EXPECT_EQ(parse_dhcp_daemon_options({})->timeouts.give_up, std::chrono::seconds(208));
}

TEST(DhcpDaemonOptionsTest, WrongFlagsAreNamed) {
  struct {
    std::vector<std::string> words;
    const char* said;
  } const cases[] = {
      {{"-pidfil", "x"}, "did you mean -pidfile?"},
      {{"-pidfile", "x"}, "path not absolute"},
      {{"-timeout"}, "-timeout needs a value"},
      {{"-timeout", "10"}, "is a duration like 10s"},
      {{"-timeout", "s"}, "is a duration like 10s"},
      {{"-timeout", "0s"}, "is a duration like 10s"},
      {{"-timeout", "99999999h"}, "is a duration like 10s"},
      {{"-broadcast=perhaps"}, "-broadcast is true or false"},
      {{"daemon"}, "there is no flag"},
  };
  for (const auto& c : cases) {
    const auto options = parse_dhcp_daemon_options(c.words);
    ASSERT_FALSE(options) << c.words[0];
    EXPECT_NE(options.error().text().find(c.said), std::string::npos) << options.error().text();
  }
}

DhcpRecord record() {
  return {.call = {.container_id = "c1",
                   .netns = "/run/netns/x",
                   .ifname = "eth0",
                   .args = "A=B",
                   .config = R"({"name":"n","ipam":{}})"},
          .ack = {.is_reply = true,
                  .transaction = 7,
                  .yours = *IpAddress::parse("10.0.0.7"),
                  .mac = *MacAddress::parse("02:00:00:00:00:07"),
                  .options = {{DhcpOption::kSubnetMask, as_option(0xffffff00)}}},
          .granted = DhcpTime(123456),
          .server = *MacAddress::parse("02:00:00:00:00:01")};
}

TEST(DhcpRecordsTest, ARecordComesBackInItsBootOnly) {
  const std::string text = encode_record(record(), "boot-1");
  EXPECT_EQ(decode_record(text, "boot-1").value(), record());
  EXPECT_FALSE(decode_record(text, "boot-2"));
  for (std::size_t i = 0; i + 1 < text.size(); ++i)
    EXPECT_FALSE(decode_record(text.substr(0, i), "boot-1")) << i;
  DhcpRecord without_lease = record();
  without_lease.ack.options.clear();
  EXPECT_FALSE(decode_record(encode_record(without_lease, "b"), "b"));
}

}  // namespace
}  // namespace weft::cni
