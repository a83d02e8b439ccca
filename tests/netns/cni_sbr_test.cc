// The sbr plugin: the cases of the reference plugin's suite under their names, and what it leaves
// when something goes wrong.
#include <thread>

#include <gtest/gtest.h>

#include "base/text.h"
#include "support/cni_wire.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::PluginReply;
using test::WeftPlugins;

std::string config(const std::string& members = {}, const std::string& version = "1.1.0") {
  return R"({"cniVersion":")" + version + R"(","name":"n","type":"sbr")" + members + "}";
}

const test::Wire kNet1{.ifname = "net1", .host_name = "host1", .addresses = {"192.168.1.209/24"}};

class CniSbr : public testing::Test {
 protected:
  PluginReply call(const char* command, const ContainerPort& port, const std::string& text) const {
    return weft_.folder().call("sbr", command, port, text);
  }
  PluginReply add(const Container& container, const std::string& text,
                  const test::Wire& wire = kNet1) const {
    return call("ADD", container.port(wire.ifname),
                test::chained(text, test::result_of(container, wire)));
  }
  static std::string routes(const Container& container, const std::string& table,
                            const char* family = "-4") {
    return container.run_inside({"ip", family, "route", "show", "table", table});
  }
  /// The rules that are not the kernel's own.
  static std::string rules(const Container& container, const char* family = "-4") {
    std::string text;
    for (const auto& line : split(container.run_inside({"ip", family, "rule"}), '\n'))
      if (line.find("from all") == std::string::npos && !line.empty())
        text += line.substr(line.find('\t') + 1) + "\n";
    return text;
  }

  WeftPlugins weft_;
};

TEST_F(CniSbr, WorksWithA030Config) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    test::lay(host, container, kNet1);
    container.run_inside({"ip", "route", "add", "10.9.0.0/16", "via", "192.168.1.7"});
    const std::string others = routes(container, "main");
    const PluginReply added = add(container, config("", "0.3.0"));
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(rules(container), "from 192.168.1.209 lookup 100\n");
    EXPECT_EQ(routes(container, "100"),
              "default via 192.168.1.1 dev net1 \n10.9.0.0/16 via 192.168.1.7 dev net1 \n"
              "192.168.1.0/24 dev net1 proto kernel scope link src 192.168.1.209 \n");
    EXPECT_EQ(routes(container, "main"),
              "10.1.2.0/24 dev eth0 proto kernel scope link src 10.1.2.2 \n");
    for (int i = 0; i < 2; ++i)
      EXPECT_TRUE(call("DEL", container.port("net1"), config("", "0.3.0")).ok());
    EXPECT_EQ(rules(container), "");
  });
}

TEST_F(CniSbr, WorksWithADefaultRouteAlreadySet) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, kNet1);
    container.run_inside({"ip", "route", "add", "default", "via", "192.168.1.1"});
    ASSERT_TRUE(add(container, config()).ok());
    EXPECT_EQ(routes(container, "100"),
              "default via 192.168.1.1 dev net1 \n"
              "192.168.1.0/24 dev net1 proto kernel scope link src 192.168.1.209 \n");
    EXPECT_EQ(routes(container, "main"), "");
  });
}

TEST_F(CniSbr, WorksWithMultipleIps) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::Wire wire = kNet1;
    wire.addresses = {"192.168.1.209/24", "192.168.101.209/24", "fd00:7::9/64"};
    test::lay(host, container, wire);
    const PluginReply added = add(container, config(), wire);
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(rules(container), "from 192.168.101.209 lookup 101\nfrom 192.168.1.209 lookup 100\n");
    EXPECT_EQ(rules(container, "-6"), "from fd00:7::9 lookup 102\n");
    EXPECT_NE(routes(container, "101").find("default via 192.168.101.1"), std::string::npos);
    EXPECT_EQ(routes(container, "101").find("192.168.1.0"), std::string::npos);
    EXPECT_NE(routes(container, "102", "-6").find("default via fd00:7::1 dev net1"),
              std::string::npos);
    EXPECT_TRUE(call("CHECK", container.port("net1"), test::chained(config(), added.json)).ok());
  });
}

TEST_F(CniSbr, FailsWithVersionsThatDoNotSupportChaining) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    for (const char* version : {"0.1.0", "0.2.0", "1.1.0"})
      EXPECT_EQ(call("ADD", container.port(), config("", version)).message(),
                "This plugin must be called as chained plugin");
  });
}

TEST_F(CniSbr, WorksWithTableId) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, kNet1);
    const std::string before = routes(container, "main");
    const std::string text = config(R"(,"table":5000)");
    const PluginReply added = add(container, text);
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(rules(container), "from 192.168.1.209 lookup 5000\n");
    EXPECT_EQ(routes(container, "main"), before);
    container.run_inside({"ip", "rule", "add", "from", "192.168.1.209", "lookup", "77"});
    EXPECT_TRUE(call("DEL", container.port("net1"), text).ok());
    EXPECT_EQ(rules(container), "from 192.168.1.209 lookup 77\n");
  });
}

TEST_F(CniSbr, StaticGateways) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::Wire wire = kNet1;
    wire.addresses = {"192.168.1.209/24", "fd00:7::9/64"};
    test::lay(host, container, wire);
    EXPECT_EQ(
        add(container, config(R"(,"gateways":["192.168.1.2","192.168.1.3"])"), wire).message(),
        "gateways list contains multiple IPv4 addresses: 192.168.1.2 and 192.168.1.3");
    EXPECT_EQ(rules(container), "");
    ASSERT_TRUE(add(container, config(R"(,"gateways":["192.168.1.2","fd00:7::2"])"), wire).ok());
    EXPECT_NE(routes(container, "100").find("default via 192.168.1.2 dev net1"), std::string::npos);
    EXPECT_NE(routes(container, "101", "-6").find("default via fd00:7::2 dev net1"),
              std::string::npos);
  });
}

TEST_F(CniSbr, SourceHints) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::Wire wire = kNet1;
    wire.addresses = {"192.168.1.209/24", "fd00:7::9/64"};
    test::lay(host, container, wire);
    container.run_inside({"ip", "route", "add", "10.9.0.0/16", "via", "192.168.1.7"});
    const PluginReply added = add(container, config(R"(,"addSourceHints":true)"), wire);
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(routes(container, "main"),
              "192.168.1.0/24 dev net1 proto kernel scope link src 192.168.1.209 \n");
    EXPECT_NE(routes(container, "main", "-6").find("fd00:7::/64 dev net1"), std::string::npos);
    EXPECT_NE(routes(container, "main", "-6").find("src fd00:7::9"), std::string::npos)
        << routes(container, "main", "-6");
  });
}

TEST_F(CniSbr, ATableWithRoutesIsNotTaken) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    test::lay(host, container, kNet1);
    container.run_inside({"ip", "route", "add", "10.9.0.0/16", "dev", "eth0", "table", "100"});
    container.run_inside({"ip", "rule", "add", "from", "10.1.2.2", "lookup", "101"});
    ASSERT_TRUE(add(container, config()).ok());
    EXPECT_NE(rules(container).find("from 192.168.1.209 lookup 102"), std::string::npos);
  });
}

TEST_F(CniSbr, AFailureTakesEverythingBack) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, kNet1);
    container.run_inside({"ip", "route", "add", "10.9.0.0/16", "via", "192.168.1.7"});
    const std::string before = routes(container, "main");
    // No route leads to this gateway.
    const PluginReply added = add(container, config(R"(,"gateways":["203.0.113.1"])"));
    EXPECT_NE(added.message().find("Failed to add the route 0.0.0.0/0 via 203.0.113.1"),
              std::string::npos)
        << added.output;
    EXPECT_EQ(routes(container, "main"), before);
    EXPECT_EQ(rules(container), "");
  });
}

TEST_F(CniSbr, DelWithoutNamespaceDeviceAddOrGoodConfiguration) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    EXPECT_TRUE(call("DEL", container.port("net1"), config()).ok());
    test::lay(host, container, kNet1);
    const PluginReply added = add(container, config());
    must(host.remove(must(host.link("host1"))->index));
    ContainerPort gone = container.port("net1");
    for (const char* path : {"", "/no/such/path"}) {
      gone.netns = path;
      EXPECT_TRUE(call("DEL", gone, config(R"(,"gateways":7)")).ok());
    }
    // The namespace is there, and the result tells what the device had.
    EXPECT_NE(rules(container), "");
    EXPECT_TRUE(call("DEL", container.port("net1"), test::chained(config(), added.json)).ok());
    EXPECT_EQ(rules(container), "");
  });
}

TEST_F(CniSbr, CheckFindsWhatWasBroken) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, kNet1);
    const PluginReply added = add(container, config());
    const auto message = [&] {
      return call("CHECK", container.port("net1"), test::chained(config(), added.json)).message();
    };
    EXPECT_EQ(message(), "");
    container.run_inside({"ip", "route", "del", "default", "table", "100"});
    EXPECT_EQ(message(), "table 100 has no route to 0.0.0.0/0 for packets from 192.168.1.209");
    container.run_inside({"ip", "route", "flush", "table", "100"});
    EXPECT_EQ(message(), "table 100 has no routes for packets from 192.168.1.209");
    container.run_inside({"ip", "rule", "del", "from", "192.168.1.209"});
    EXPECT_EQ(message(), "there is no rule for packets from 192.168.1.209");
  });
}

TEST_F(CniSbr, CallsForOneNamespaceWaitForEachOther) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    std::vector<test::Wire> wires;
    for (int i = 0; i < 4; ++i) {
      const std::string number = std::to_string(i);
      wires.push_back({.ifname = "net" + number,
                       .host_name = "host" + number,
                       .addresses = {"192.168." + number + ".9/24"}});
      test::lay(host, container, wires.back());
    }
    const auto here = must(kernel::Netns::current());
    std::vector<std::thread> calls;
    for (const auto& wire : wires)
      calls.emplace_back([&] {
        const auto visit = must(kernel::NetnsVisit::enter(here));
        EXPECT_TRUE(add(container, config(), wire).ok());
      });
    for (auto& each : calls) each.join();
    // Each has a table of its own.
    for (const char* table : {"100", "101", "102", "103"})
      EXPECT_NE(rules(container).find(std::string("lookup ") + table), std::string::npos);
  });
}

}  // namespace
}  // namespace weft
