// dhcp with real DHCP servers, and crosswise with the Go plugin and the Go daemon.
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/fd.h"
#include "base/files.h"
#include "base/unix_address.h"
#include "cni_dhcp_site.h"
#include "support/eventually.h"

namespace weft {
namespace {

using test::at_site;
using test::Container;
using test::DhcpSite;
using test::eventually;
using test::must;
using test::PluginReply;
using test::ServerProcess;
using test::Side;
using test::TempDir;
using test::WeftPlugins;

class DhcpAcross : public testing::TestWithParam<std::pair<Side, Side>> {};

TEST_P(DhcpAcross, AddCheckAndDel) {
  at_site(GetParam().first, GetParam().second, [](DhcpSite& site) {
    site.start_dnsmasq({"--dhcp-option=3,10.20.0.1"});
    const PluginReply added = site.call("ADD");
    ASSERT_TRUE(added.ok()) << added.output;
    const std::string address = added.json["ips"][0]["address"];
    EXPECT_TRUE(address.starts_with("10.20.0.") && address.ends_with("/24")) << address;
    EXPECT_EQ(added.json["ips"][0]["gateway"], "10.20.0.1");
    EXPECT_EQ(added.json["routes"][0]["dst"], "0.0.0.0/0");
    EXPECT_EQ(added.json["routes"][0]["gw"], "10.20.0.1");
    EXPECT_TRUE(site.call("CHECK").ok());
    const PluginReply deleted = site.call("DEL");
    EXPECT_TRUE(deleted.ok()) << deleted.output;
    EXPECT_TRUE(eventually([&] { return site.server_said("DHCPRELEASE"); }));
    EXPECT_TRUE(site.call("DEL").ok());
  });
}

TEST_P(DhcpAcross, ClasslessRoutesWinOverTheRouter) {
  at_site(GetParam().first, GetParam().second, [](DhcpSite& site) {
    site.start_dnsmasq({"--dhcp-option=3,10.20.0.1",
                        "--dhcp-option-force=121,10.30.0.0/16,10.20.0.7,0.0.0.0/0,10.20.0.8"});
    const PluginReply added = site.call("ADD", R"("priority":77,)");
    ASSERT_TRUE(added.ok()) << added.output;
    ASSERT_EQ(added.json["routes"].size(), 2U) << added.output;
    EXPECT_EQ(added.json["routes"][0]["dst"], "10.30.0.0/16");
    EXPECT_EQ(added.json["routes"][0]["gw"], "10.20.0.7");
    EXPECT_EQ(added.json["routes"][1]["gw"], "10.20.0.8");
  });
}

TEST_P(DhcpAcross, AConfigurationThatIsWrongIsRefusedInWords) {
  at_site(GetParam().first, GetParam().second, [](DhcpSite& site) {
    const PluginReply added = site.call("ADD", R"("request":[{"option":"nonsense"}],)");
    EXPECT_NE(added.message().find("Can not parse option"), std::string::npos) << added.output;
  });
}

INSTANTIATE_TEST_SUITE_P(
    CniPeers, DhcpAcross,
    testing::Values(std::pair(Side::kWeft, Side::kWeft), std::pair(Side::kGo, Side::kWeft),
                    std::pair(Side::kWeft, Side::kGo), std::pair(Side::kGo, Side::kGo)),
    [](const testing::TestParamInfo<std::pair<Side, Side>>& tested) {
      return name_of(tested.param.first) + "PluginWith" + name_of(tested.param.second) + "Daemon";
    });

TEST(CniPeerDhcp, BridgeGetsItsAddressFromTheServer) {
  at_site(Side::kWeft, Side::kWeft, [](DhcpSite& site) {
    site.start_dnsmasq({"--dhcp-option=3,10.20.0.1"});
    const Container pod("c2");
    const PluginReply added = site.bridge("ADD", pod);
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_NE(pod.run_inside({"ip", "address"}).find(" 10.20.0."), std::string::npos);
    EXPECT_NE(pod.run_inside({"ip", "route"}).find("default via 10.20.0.1"), std::string::npos);
    EXPECT_TRUE(site.bridge("DEL", pod).ok());
    EXPECT_EQ(site.records(), 0U);
  });
}

TEST(CniPeerDhcp, SendsWhatTheConfigurationProvides) {
  at_site(Side::kWeft, Side::kWeft, [](DhcpSite& site) {
    site.start_dnsmasq();
    const std::string provide = R"("provide":[{"option":"host-name","value":"pod-seven"},
        {"option":"60","value":"weft-test"}],)";
    ASSERT_TRUE(site.call("ADD", provide).ok());
    EXPECT_TRUE(site.server_said("vendor class: weft-test")) << site.server_log();
    EXPECT_TRUE(site.server_said("client provides name: pod-seven"));
    // Of type 0, as the Go plugin: "c1/n/eth0".
    EXPECT_TRUE(eventually([&] {
      return read_file(site.file("leases")).value_or("").find("00:63:31:2f:6e:2f:65:74:68:30") !=
             std::string::npos;
    })) << read_file(site.file("leases")).value_or("");
  });
}

TEST(CniPeerDhcp, ARestartOfTheDaemonKeepsTheLease) {
  for (const int signal : {SIGTERM, SIGKILL})
    at_site(Side::kWeft, Side::kWeft, [&](DhcpSite& site) {
      site.start_dnsmasq();
      ASSERT_TRUE(site.call("ADD").ok());
      EXPECT_EQ(site.records(), 1U);
      const std::size_t asked = site.times_server_said("DHCPREQUEST");
      site.end_daemon(signal);
      site.start_daemon();
      EXPECT_TRUE(site.call("CHECK").ok());
      EXPECT_EQ(site.times_server_said("DHCPREQUEST"), asked);  // nothing was asked anew
      EXPECT_TRUE(site.call("DEL").ok());
      EXPECT_TRUE(eventually([&] { return site.server_said("DHCPRELEASE"); }));
      EXPECT_EQ(site.records(), 0U);
    });
}

TEST(CniPeerDhcp, RenewsInTimeAndSetsTheLinkDownWhenTheLeaseIsOver) {
  at_site(Side::kWeft, Side::kWeft, [](DhcpSite& site) {
    constexpr int kLease = 4;
    site.start_udhcpd(kLease);
    ASSERT_TRUE(site.call("ADD").ok());
    EXPECT_TRUE(eventually([&] { return site.times_server_said("sending ACK") >= 4; }))
        << site.server_log();
    EXPECT_TRUE(site.link_is_up());
    site.stop_server();
    EXPECT_TRUE(eventually([&] { return !site.link_is_up(); })) << site.daemon_log();
    EXPECT_TRUE(eventually([&] { return site.records() == 0; }));
  });
}

TEST(CniPeerDhcp, GcGivesBackWhatIsNotOnTheList) {
  at_site(Side::kWeft, Side::kWeft, [](DhcpSite& site) {
    site.start_dnsmasq();
    ASSERT_TRUE(site.call("ADD").ok());
    const auto collect = [&](const std::string& valid) {
      std::string config = site.config();
      config.replace(config.find("1.0.0"), 5, "1.1.0");
      config.insert(1, R"("cni.dev/valid-attachments":[)" + valid + "],");
      return site.plugins().call("dhcp", "GC", {}, config);
    };
    EXPECT_TRUE(collect(R"({"containerID":"c1","ifname":"eth0"})").ok());
    EXPECT_EQ(site.records(), 1U);
    EXPECT_TRUE(collect("").ok());
    EXPECT_EQ(site.records(), 0U);
    EXPECT_TRUE(eventually([&] { return site.server_said("DHCPRELEASE"); }));
  });
}

TEST(CniPeerDhcp, WhoTalksNonsenseToTheDaemonIsHungUpOn) {
  at_site(Side::kWeft, Side::kWeft, [](DhcpSite& site) {
    site.start_dnsmasq();
    for (const std::string text :
         {"GET / HTTP/1.0\r\n\r\n", "CONNECT /_goRPC_ HTTP/1.0\n\n\x80\x80",
          "CONNECT /_goRPC_ HTTP/1.0\n\n\xfc\x7f\xff\xff\xff"}) {
      const auto address = must(UnixAddress::parse(site.socket()));
      const Fd stranger(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      ASSERT_EQ(::connect(stranger.get(), address.get(), address.size()), 0);
      ASSERT_EQ(::send(stranger.get(), text.data(), text.size(), 0),
                static_cast<ssize_t>(text.size()));
      char answer[256];
      while (::recv(stranger.get(), answer, sizeof answer, 0) > 0) {
      }
    }
    EXPECT_TRUE(site.call("ADD").ok());
  });
}

TEST(CniPeerDhcp, SystemdMayHandTheSocketOver) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const TempDir data;
    const WeftPlugins weft;
    const std::string path = data.path() + "/handed-over.sock";
    const auto address = must(UnixAddress::parse(path));
    const Fd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(listener.get(), address.get(), address.size()), 0);
    ASSERT_EQ(::listen(listener.get(), 8), 0);
    ServerProcess daemon;
    ASSERT_TRUE(daemon.start(
        {"sh", "-c",
         "exec 3<&" + std::to_string(listener.get()) + "; LISTEN_FDS=1 LISTEN_PID=$$ exec " +
             weft.folder().path() + "/dhcp daemon -socketpath " + data.path() + "/unused.sock"},
        data.path() + "/log"));
    // An answer, though no interface is there: "error looking up".
    const Container pod("c1");
    const PluginReply added = weft.folder().call(
        "dhcp", "ADD", pod.port(),
        R"({"cniVersion":"1.0.0","name":"n","ipam":{"type":"dhcp","daemonSocketPath":")" + path +
            R"("}})");
    EXPECT_NE(added.message().find("error looking up \"eth0\""), std::string::npos) << added.output;
    daemon.end(SIGTERM);
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);  // it is systemd's
    EXPECT_NE(::access((data.path() + "/unused.sock").c_str(), F_OK), 0);
  });
}

TEST(CniPeerDhcp, WithoutADaemonAddSaysSoAndDelIsDone) {
  at_site(Side::kWeft, Side::kWeft, [](DhcpSite& site) {
    site.end_daemon(SIGTERM);
    EXPECT_NE(::access(site.socket().c_str(), F_OK), 0);
    EXPECT_NE(::access(site.file("daemon.pid").c_str(), F_OK), 0);
    const PluginReply added = site.call("ADD");
    EXPECT_EQ(added.message(), "error dialing DHCP daemon: dial unix " + site.socket() +
                                   ": connect: no such file or directory");
    EXPECT_TRUE(site.call("DEL").ok());
    std::string config = site.config();
    config.replace(config.find("1.0.0"), 5, "1.1.0");
    EXPECT_EQ(site.plugins().call("dhcp", "STATUS", {}, config).code(), 50);
  });
}

}  // namespace
}  // namespace weft
