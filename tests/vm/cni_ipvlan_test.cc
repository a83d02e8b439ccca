// What the ipvlan plugin has beyond the other plugins of one device: the cases of
// containernetworking/plugins, plugins/main/ipvlan/ipvlan_test.go.
#include "support/cni_fixture.h"
#include "support/ping.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::PluginReply;

class CniIpvlan : public test::CniFixture {
 protected:
  static Link make_master(kernel::Rtnetlink& host) {
    must(host.create(
        {.name = "master0", .kind = "veth", .up = true, .peer = kernel::VethPeer{.name = "far0"}}));
    must(host.change(must(host.link("far0"))->index, {.up = true}));
    return must(host.link("master0")).value();
  }
  PluginReply run(const std::string& command, const ContainerPort& port,
                  const std::string& text) const {
    return call("ipvlan", command, port, text);
  }
  /// A result of an earlier plugin.
  static Json previous(const char* interfaces) {
    return must(parse_json(R"({"cniVersion":"1.1.0","interfaces":)" + std::string(interfaces) +
                           R"(,"ips":[{"address":"10.1.2.7/24","gateway":"10.1.2.1",
                               "interface":0}],"routes":[{"dst":"0.0.0.0/0"}]})"));
  }
};

TEST_F(CniIpvlan, ConfiguresAChainedLink) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container container("c1");
    const std::string chained =
        with(config("ipvlan", ""), "prevResult", previous(R"([{"name":"master0"}])"));
    const PluginReply added = run("ADD", container.port(), chained);
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["interfaces"].size(), 1U);
    EXPECT_EQ(added.json["interfaces"][0]["name"], "eth0");
    EXPECT_EQ(added.json["ips"][0]["address"], "10.1.2.7/24");
    const PluginReply checked =
        run("CHECK", container.port(), with(config("ipvlan", ""), "prevResult", added.json));
    EXPECT_TRUE(checked.ok()) << checked.output;
    EXPECT_TRUE(run("DEL", container.port(), chained).ok());
    EXPECT_FALSE(has_link(container, "eth0"));
  });
}

TEST_F(CniIpvlan, AChainNeedsASingleNamedInterface) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container container("c1");
    for (const char* interfaces : {"[]", R"([{"name":""}])", R"([{"name":"a"},{"name":"b"}])"}) {
      const std::string chained = with(config("ipvlan", ""), "prevResult", previous(interfaces));
      EXPECT_EQ(run("ADD", container.port(), chained).message(),
                "chained master failure. PrevResult lacks a single named interface");
      // What ADD refuses does not keep DEL from its work.
      EXPECT_TRUE(run("DEL", container.port(), chained).ok());
    }
  });
}

TEST_F(CniIpvlan, WithoutMasterTheDefaultRouteTells) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    EXPECT_EQ(run("ADD", container.port(), config("ipvlan", ipam())).message(),
              "no default route interface found");
    const Link master = make_master(host);
    must(host.add({.key = {.link = master.index,
                           .address = InterfaceAddress::parse("fd00:2::2/64").value()}}));
    must(host.put({.key = main_route(Prefix::parse("::/0").value()),
                   .hops = {{.gateway = IpAddress::parse("fd00:2::1"), .link = master.index}}}));
    const PluginReply added = run("ADD", container.port(), config("ipvlan", ipam()));
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(link_in(container).peer, master.index);
    must(host.remove(master.index));
    EXPECT_TRUE(run("DEL", container.port(), config("ipvlan", ipam())).ok());
    EXPECT_FALSE(holds("10.1.2.2"));
  });
}

TEST_F(CniIpvlan, Modes) {
  for (const char* mode : {"l2", "l3", "l3s"})
    test::in_fresh_netns([&](kernel::Rtnetlink& host) {
      const Link master = make_master(host);
      const Container container("of-" + std::string(mode));
      const std::string text =
          config("ipvlan", R"(,"master":"master0","mode":")" + std::string(mode) + "\"" + ipam());
      const PluginReply added = run("ADD", container.port(), text);
      ASSERT_TRUE(added.ok()) << added.output;
      // The kernel's own words for what was made.
      const Json shown = must(
          parse_json(container.run_inside({"ip", "-d", "-j", "link", "show", "dev", "eth0"})))[0];
      EXPECT_EQ(shown["linkinfo"]["info_data"]["mode"], mode);
      EXPECT_EQ(shown["address"], master.mac.to_string());
      const std::string checked = with(text, "prevResult", added.json);
      EXPECT_TRUE(run("CHECK", container.port(), checked).ok());
      const std::string other = std::string(mode) == "l3" ? "l2" : "l3";
      EXPECT_EQ(run("CHECK", container.port(), with(checked, "mode", other)).message(),
                "Container IPVlan mode " + std::string(mode) +
                    " does not match expected value: " + other);
    });
}

TEST_F(CniIpvlan, ContainersOnOneMasterReachEachOther) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const std::string text = config("ipvlan", R"(,"master":"master0")" + ipam());
    const Container one("c1");
    const Container two("c2");
    ASSERT_TRUE(run("ADD", one.port(), text).ok());
    ASSERT_TRUE(run("ADD", two.port(), text).ok());
    EXPECT_TRUE(test::pings(one.netns(), IpAddress::parse("10.1.2.2").value(),
                            IpAddress::parse("10.1.2.3").value()));
  });
}

}  // namespace
}  // namespace weft
