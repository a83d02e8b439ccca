// The firewall plugin and firewalld, over a real D-Bus daemon on a socket of the test's own. The
// service is a few lines of Python that know what the plugin asks of firewalld.
#include <gtest/gtest.h>

#include "base/files.h"
#include "support/cni_chain.h"
#include "support/cni_container.h"
#include "support/daemon.h"
#include "support/eventually.h"

namespace weft {
namespace {

using test::CniChain;
using test::Container;
using test::Daemon;
using test::must;
using test::PluginFolder;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

constexpr const char* kConfig = R"(<busconfig><type>system</type><listen>unix:path=SOCKET</listen>
<auth>EXTERNAL</auth><policy context="default"><allow send_destination="*"/>
<allow receive_sender="*"/><allow own="*"/><allow user="*"/></policy></busconfig>)";

class CniFirewalld : public testing::Test {
 protected:
  CniFirewalld() {
    std::string config = kConfig;
    config.replace(config.find("SOCKET"), 6, socket_);
    must(write_file_atomically(data_.path() + "/bus.conf", config, 0600, Survives::kProcess));
  }
  // The plugins are told where the bus is by a wrapper of PATH's variables.
  PluginReply call(const std::string& command, const test::ContainerPort& port,
                   const std::string& members, bool with_result = true) {
    auto variables = plugins_.variables(command, port);
    variables.push_back("DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + socket_);
    const std::string result =
        with_result ? R"(,"prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0",
            "sandbox":"/x"}],"ips":[{"interface":0,"address":"10.1.2.3/24"},
            {"interface":0,"address":"fd00::3/64"}]})"
                    : "";
    return plugins_.run_with(
        "firewall", std::move(variables),
        R"({"cniVersion":"1.0.0","name":"n","type":"firewall")" + members + result + "}");
  }
  std::string said() const { return read_file(data_.path() + "/firewalld").value_or(""); }
  std::unique_ptr<Daemon> start_bus() {
    auto bus = std::make_unique<Daemon>(
        std::vector<std::string>{"dbus-daemon", "--config-file=" + data_.path() + "/bus.conf",
                                 "--nofork", "--nopidfile"},
        data_.path() + "/bus.log");
    EXPECT_TRUE(test::eventually([&] { return ::access(socket_.c_str(), R_OK) == 0; }));
    return bus;
  }
  std::unique_ptr<Daemon> start_firewalld() {
    auto service = std::make_unique<Daemon>(
        std::vector<std::string>{"sh", "-c",
                                 "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + socket_ +
                                     " exec /usr/bin/python3 " WEFT_FAKE_FIREWALLD " > " +
                                     data_.path() + "/firewalld"},
        data_.path() + "/firewalld.log");
    EXPECT_TRUE(test::eventually([&] { return said().starts_with("ready\n"); }))
        << "needs python3-dbus and python3-gi: " << service->said();
    return service;
  }

  TempDir data_;
  std::string socket_ = data_.path() + "/bus";
  WeftPlugins links_;
  PluginFolder plugins_ = links_.folder();
};

std::string ruleset() {
  return must(run_or_fail({.argv = {"nft", "list", "ruleset"}}));
}

TEST_F(CniFirewalld, AddressesComeIntoTheZoneAndLeaveIt) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const auto bus = start_bus();
    const auto service = start_firewalld();
    const Container container("c1");
    // Found by itself, since it runs.
    const PluginReply added = call("ADD", container.port(), "");
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(said(), "ready\nadd trusted 10.1.2.3/32\nadd trusted fd00::3/128\n");
    EXPECT_EQ(ruleset(), "");
    EXPECT_TRUE(call("CHECK", container.port(), "").ok());
    EXPECT_EQ(call("CHECK", container.port(), R"(,"firewalldZone":"public")").message(),
              "failed to find the address 10.1.2.3/32 in public zone");
    // As the Go plugin: what is in a zone already is fine.
    EXPECT_TRUE(call("ADD", container.port(), R"(,"backend":"firewalld")").ok());
    EXPECT_TRUE(call("DEL", container.port(), R"(,"backend":"firewalld")").ok());
    EXPECT_TRUE(said().ends_with("remove trusted 10.1.2.3/32\nremove trusted fd00::3/128\n"));
    EXPECT_TRUE(call("DEL", container.port(), R"(,"backend":"firewalld")").ok());
    EXPECT_TRUE(call("DEL", container.port(), "", false).ok());
  });
}

TEST_F(CniFirewalld, ARefusalIsToldAndTakenBack) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const auto bus = start_bus();
    const auto service = start_firewalld();
    const Container container("c1");
    const PluginReply added = call("ADD", container.port(), R"(,"firewalldZone":"refusing")");
    EXPECT_EQ(added.message(),
              "failed to add the address 10.1.2.3/32 to refusing zone: "
              "org.fedoraproject.FirewallD1.Exception: INVALID_ZONE: refusing");
  });
}

TEST_F(CniFirewalld, WithoutItIptablesIsUsed) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const PluginReply asked = call("ADD", container.port(), R"(,"backend":"firewalld")");
    EXPECT_NE(asked.message().find("connecting to the system's D-Bus at"), std::string::npos)
        << asked.output;
    ASSERT_TRUE(call("ADD", container.port(), "").ok());
    EXPECT_NE(ruleset().find("10.1.2.3"), std::string::npos);
    // A bus alone is no firewalld.
    const auto bus = start_bus();
    EXPECT_TRUE(call("CHECK", container.port(), "").ok());
    EXPECT_TRUE(call("DEL", container.port(), "").ok());
    EXPECT_EQ(ruleset().find("10.1.2.3"), std::string::npos);
  });
}

}  // namespace
}  // namespace weft
