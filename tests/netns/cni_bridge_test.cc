// The bridge plugin on the real kernel, where there is no Go plugin to compare with: roll-back,
// missing namespaces, conflicts, rules, GC and STATUS.
#include <algorithm>

#include <gtest/gtest.h>

#include "base/files.h"
#include "support/cni_container.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::PluginFolder;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

class CniBridge : public testing::Test {
 protected:
  /// The configuration with further members, each with a comma in front.
  std::string config(const std::string& more = {},
                     const std::string& ranges = R"([[{"subnet":"10.1.2.0/24"}]])") const {
    return R"({"cniVersion":"1.1.0","name":"n","type":"bridge","bridge":"br0","isGateway":true)" +
           more + R"(,"ipam":{"type":"host-local","dataDir":")" + data_.path() + R"(","ranges":)" +
           ranges + "}}";
  }
  PluginReply call(const std::string& command, const ContainerPort& port,
                   const std::string& text) const {
    return plugins_.call("bridge", command, port, text);
  }
  bool holds(const std::string& address) const {
    return read_file(data_.path() + "/n/" + address).has_value();
  }
  static std::size_t veths(kernel::Rtnetlink& host) {
    const auto links = must(host.links());
    return static_cast<std::size_t>(std::count_if(
        links.begin(), links.end(), [](const Link& link) { return link.kind == "veth"; }));
  }
  static std::string ruleset() { return must(run_or_fail({.argv = {"nft", "list", "ruleset"}})); }
  static std::string with(const std::string& text, const char* key, const Json& value) {
    Json json = must(parse_json(text));
    json[key] = value;
    return to_text(json);
  }

  TempDir data_;
  WeftPlugins links_;
  PluginFolder plugins_ = links_.folder();
};

TEST_F(CniBridge, SecondAddIsRefusedAndLeavesTheFirstAlone) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    ASSERT_TRUE(call("ADD", container.port(), config()).ok());
    const PluginReply second = call("ADD", container.port(), config());
    EXPECT_NE(second.message().find("container veth name (\"eth0\")"), std::string::npos);
    EXPECT_TRUE(holds("10.1.2.2"));
    EXPECT_EQ(veths(host), 1U);
  });
}

TEST_F(CniBridge, SecondInterfaceOfTheSameContainerIsFine) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    ASSERT_TRUE(call("ADD", container.port("eth0"), config()).ok());
    ASSERT_TRUE(call("ADD", container.port("net1"), config()).ok());
    ASSERT_TRUE(call("DEL", container.port("eth0"), config()).ok());
    EXPECT_FALSE(holds("10.1.2.2"));
    EXPECT_TRUE(holds("10.1.2.3"));
  });
}

TEST_F(CniBridge, AFailureAfterIpamTakesLinkLeaseAndRulesBack) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    must(host.create({.name = "br0", .kind = "bridge", .up = true, .bridge = BridgeOptions{}}));
    const LinkIndex bridge = must(host.link("br0"))->index;
    must(host.add(
        {.key = {.link = bridge, .address = InterfaceAddress::parse("10.99.0.1/24").value()}}));
    const Container container("c1");
    const PluginReply added =
        call("ADD", container.port(), config(R"(,"ipMasq":true,"macspoofchk":true)"));
    EXPECT_NE(added.message().find(R"("br0" already has an IP address different from 10.1.2.1/24)"),
              std::string::npos)
        << added.output;
    EXPECT_NE(added.details().find("ip address del 10.99.0.1/24 dev br0"), std::string::npos);
    EXPECT_EQ(veths(host), 0U);
    EXPECT_FALSE(holds("10.1.2.2"));
    EXPECT_EQ(ruleset().find("c1"), std::string::npos) << ruleset();
    const PluginReply forced = call("ADD", container.port(), config(R"(,"forceAddress":true)"));
    EXPECT_TRUE(forced.ok()) << forced.output;
  });
}

TEST_F(CniBridge, AForeignDeviceOfTheBridgesNameIsRefused) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    must(host.create({.name = "br0", .kind = "veth", .peer = kernel::VethPeer{.name = "x"}}));
    const Container container("c1");
    EXPECT_NE(call("ADD", container.port(), config())
                  .message()
                  .find(R"("br0" already exists but is not a bridge)"),
              std::string::npos);
    EXPECT_EQ(call("STATUS", {}, config()).code(), 50);
  });
}

TEST_F(CniBridge, DelGivesTheAddressBackWithoutNamespace) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const std::string plain = data_.path() + "/left-over";
    must(write_file_atomically(plain, "", 0600, Survives::kProcess));
    for (const std::string& path : {std::string(), std::string("/no/such/path"), plain}) {
      const Container container("c1");
      const std::string masq = config(R"(,"ipMasq":true,"macspoofchk":true)");
      ASSERT_TRUE(call("ADD", container.port(), masq).ok());
      ContainerPort gone = container.port();
      gone.netns = path;
      const PluginReply deleted = call("DEL", gone, masq);
      EXPECT_TRUE(deleted.ok()) << path << deleted.output;
      EXPECT_EQ(must(list_directory(data_.path() + "/n")),
                (std::vector<std::string>{".weft-index", "last_reserved_ip.0", "lock"}));
      EXPECT_EQ(ruleset().find("c1"), std::string::npos) << ruleset();
    }
  });
}

TEST_F(CniBridge, DelWorksWithAConfigurationThatAddWouldRefuse) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    ASSERT_TRUE(call("ADD", container.port(), config()).ok());
    const PluginReply deleted = call("DEL", container.port(), config(R"(,"vlan":9999)", "[]"));
    EXPECT_TRUE(deleted.ok()) << deleted.output;
    EXPECT_EQ(veths(host), 0U);
    EXPECT_FALSE(holds("10.1.2.2"));
  });
}

TEST_F(CniBridge, CheckFindsWhatWasBroken) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    const PluginReply added = call("ADD", container.port(), config());
    const std::string checked = with(config(), "prevResult", added.json);
    EXPECT_EQ(call("CHECK", container.port(), config()).message(), "Required prevResult missing");
    const PluginReply fine = call("CHECK", container.port(), checked);
    ASSERT_TRUE(fine.ok()) << fine.output;
    EXPECT_EQ(fine.output, "");
    container.inside([](kernel::Rtnetlink& inside) {
      const LinkIndex link = must(inside.link("eth0"))->index;
      must(inside.remove(
          LinkAddressKey{.link = link, .address = InterfaceAddress::parse("10.1.2.2/24").value()}));
    });
    EXPECT_EQ(call("CHECK", container.port(), checked).message(),
              "Failed to match addr 10.1.2.2/24 on interface eth0");
    must(host.remove(must(host.link("br0"))->index));
    EXPECT_EQ(call("CHECK", container.port(), checked).message(), "Bridge interface br0 not found");
  });
}

TEST_F(CniBridge, MasqueradeAndSpoofCheckComeAndGo) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const std::string both = config(R"(,"ipMasq":true,"macspoofchk":true)",
                                    R"([[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:1::/64"}]])");
    const Container one("first-pod");
    const Container two("second-pod");
    const PluginReply added = call("ADD", one.port(), both);
    ASSERT_TRUE(added.ok()) << added.output;
    ASSERT_TRUE(call("ADD", two.port(), both).ok());
    const std::string rules = ruleset();
    EXPECT_NE(rules.find("ip saddr 10.1.2.2 ip daddr != 10.1.2.0/24 masquerade"), std::string::npos)
        << rules;
    EXPECT_NE(rules.find("ip6 saddr fd00:1::2 ip6 daddr != fd00:1::/64 masquerade"),
              std::string::npos);
    const std::string mac = added.json["interfaces"][2]["mac"];
    EXPECT_NE(rules.find("ether saddr " + mac + " return"), std::string::npos);
    ASSERT_TRUE(call("DEL", one.port(), both).ok());
    EXPECT_EQ(ruleset().find("first-pod"), std::string::npos);
    EXPECT_NE(ruleset().find("id: second-pod"), std::string::npos);
    const PluginReply collected =
        call("GC", {}, with(both, "cni.dev/valid-attachments", Json::array()));
    EXPECT_TRUE(collected.ok()) << collected.output;
    EXPECT_EQ(ruleset().find("id: second-pod"), std::string::npos);
    EXPECT_FALSE(holds("10.1.2.3"));
  });
}

TEST_F(CniBridge, IptablesWhenAskedFor) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const std::string masquerading =
        config(R"(,"ipMasq":true,"ipMasqBackend":"iptables")",
               R"([[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:1::/64"}]])");
    const auto nat = [](const char* program) {
      return must(run_or_fail({.argv = {program, "-t", "nat", "-S"}}));
    };
    const Container container("c1");
    const PluginReply added = call("ADD", container.port(), masquerading);
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_NE(nat("iptables").find("-A POSTROUTING -s 10.1.2.2/32"), std::string::npos)
        << nat("iptables");
    EXPECT_NE(nat("ip6tables").find("! -d ff00::/8"), std::string::npos) << nat("ip6tables");
    ContainerPort gone = container.port();
    gone.netns.clear();
    const PluginReply deleted = call("DEL", gone, masquerading);
    EXPECT_TRUE(deleted.ok()) << deleted.output;
    EXPECT_EQ(nat("iptables").find("CNI-"), std::string::npos) << nat("iptables");
    EXPECT_EQ(nat("ip6tables").find("CNI-"), std::string::npos) << nat("ip6tables");
  });
}

TEST_F(CniBridge, GcWithoutAListIsRefused) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    ASSERT_TRUE(call("ADD", container.port(), config()).ok());
    EXPECT_EQ(call("GC", {}, config()).code(), 7);
    EXPECT_TRUE(holds("10.1.2.2"));
  });
}

TEST_F(CniBridge, PortIsolationAndDisabledInterface) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    const PluginReply added =
        call("ADD", container.port(),
             R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0",
                 "portIsolation":true,"disableContainerInterface":true})");
    ASSERT_TRUE(added.ok()) << added.output;
    const std::string port = added.json["interfaces"][1]["name"];
    EXPECT_TRUE(must(host.link(port))->port->isolated);
    container.inside(
        [](kernel::Rtnetlink& inside) { EXPECT_FALSE(must(inside.link("eth0"))->up); });
  });
}

TEST_F(CniBridge, TheOwnNamespaceIsRefusedBeforeAnythingIsMade) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const auto own = must(kernel::Netns::current());
    ContainerPort port{
        .id = "c1",
        .netns = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(own.fd())};
    const PluginReply added = call("ADD", port, config());
    EXPECT_EQ(added.code(), 8) << added.output;
    EXPECT_FALSE(must(host.link("br0")));
  });
}

TEST_F(CniBridge, DuplicateAddressDetectionWhenAskedFor) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const PluginReply added = call(
        "ADD", container.port(), config(R"(,"enabledad":true)", R"([[{"subnet":"fd00:1::/64"}]])"));
    ASSERT_TRUE(added.ok()) << added.output;
    container.inside([](kernel::Rtnetlink& inside) {
      for (const auto& address : must(inside.addresses(must(inside.link("eth0"))->index)))
        EXPECT_FALSE(address.tentative);
    });
  });
}

}  // namespace
}  // namespace weft
