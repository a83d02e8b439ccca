// What the macvlan plugin has beyond the other plugins of one device: the cases of
// containernetworking/plugins, plugins/main/macvlan/macvlan_test.go.
#include "support/cni_fixture.h"
#include "support/ping.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::PluginReply;

class CniMacvlan : public test::CniFixture {
 protected:
  static void make_master(kernel::Rtnetlink& host) {
    must(host.create(
        {.name = "master0", .kind = "veth", .up = true, .peer = kernel::VethPeer{.name = "far0"}}));
    must(host.change(must(host.link("far0"))->index, {.up = true}));
  }
  static std::string macvlan(const std::string& members) {
    return config("macvlan", R"(,"master":"master0")" + members);
  }
  PluginReply run(const std::string& command, const ContainerPort& port,
                  const std::string& text) const {
    return call("macvlan", command, port, text);
  }
};

TEST_F(CniMacvlan, Layer2) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container container("c1");
    const PluginReply added = run("ADD", container.port(), macvlan(""));
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_FALSE(added.json.contains("ips"));
    EXPECT_TRUE(link_in(container).up);
    const PluginReply checked =
        run("CHECK", container.port(), with(macvlan(""), "prevResult", added.json));
    EXPECT_TRUE(checked.ok()) << checked.output;
    EXPECT_TRUE(run("DEL", container.port(), macvlan("")).ok());
    EXPECT_FALSE(has_link(container, "eth0"));
  });
}

TEST_F(CniMacvlan, WithoutMasterTheDefaultRouteTells) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    EXPECT_EQ(run("ADD", container.port(), config("macvlan", ipam())).message(),
              "no default route interface found");
    make_master(host);
    const Link master = must(host.link("master0")).value();
    must(host.add({.key = {.link = master.index,
                           .address = InterfaceAddress::parse("192.0.2.2/24").value()}}));
    must(host.put({.key = main_route(Prefix::parse("0.0.0.0/0").value()),
                   .hops = {{.gateway = IpAddress::parse("192.0.2.1"), .link = master.index}}}));
    const PluginReply added = run("ADD", container.port(), config("macvlan", ipam()));
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(link_in(container).peer, master.index);
    // The default route may go elsewhere while the container runs.
    must(host.remove(master.index));
    EXPECT_TRUE(run("DEL", container.port(), config("macvlan", ipam())).ok());
    EXPECT_FALSE(holds("10.1.2.2"));
  });
}

TEST_F(CniMacvlan, TheMacAddressOfTheStrongestSource) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const std::string own = R"(,"mac":"02:00:00:00:00:01")";
    const std::string runtime = R"(,"runtimeConfig":{"mac":"02:00:00:00:00:03"})";
    struct {
      std::string members;
      const char* args;
      const char* mac;
    } const cases[] = {{own, "", "02:00:00:00:00:01"},
                       {own, "IgnoreUnknown=true;MAC=02:00:00:00:00:02", "02:00:00:00:00:02"},
                       {own + runtime, "MAC=02:00:00:00:00:02", "02:00:00:00:00:03"}};
    for (const auto& c : cases) {
      const Container container("c1");
      ContainerPort port = container.port();
      port.args = c.args;
      const PluginReply added = run("ADD", port, macvlan(c.members));
      ASSERT_TRUE(added.ok()) << added.output;
      EXPECT_EQ(added.json["interfaces"][0]["mac"], c.mac);
      EXPECT_EQ(link_in(container).mac.to_string(), c.mac);
    }
  });
}

TEST_F(CniMacvlan, ModesAndTheQueueOfBroadcasts) {
  for (const char* mode : {"bridge", "private", "vepa", "passthru"})
    test::in_fresh_netns([&](kernel::Rtnetlink& host) {
      make_master(host);
      const Container container("of-" + std::string(mode));
      const std::string text =
          macvlan(R"(,"mode":")" + std::string(mode) + R"(","bcqueuelen":77)" + ipam());
      const PluginReply added = run("ADD", container.port(), text);
      ASSERT_TRUE(added.ok()) << added.output;
      // The kernel's own words for what was made.
      const Json shown = must(
          parse_json(container.run_inside({"ip", "-d", "-j", "link", "show", "dev", "eth0"})))[0];
      EXPECT_EQ(shown["linkinfo"]["info_data"]["mode"], mode);
      EXPECT_EQ(shown["linkinfo"]["info_data"]["bcqueuelen"], 77);
      EXPECT_EQ(shown["address"], added.json["interfaces"][0]["mac"]);
      const std::string checked = with(text, "prevResult", added.json);
      EXPECT_TRUE(run("CHECK", container.port(), checked).ok());
      const std::string other = std::string(mode) == "vepa" ? "bridge" : "vepa";
      EXPECT_EQ(run("CHECK", container.port(), with(checked, "mode", other)).message(),
                "Container macvlan mode " + std::string(mode) +
                    " does not match expected value: " + other);
    });
}

TEST_F(CniMacvlan, CheckSeesAnotherMaster) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container container("c1");
    const PluginReply added = run("ADD", container.port(), macvlan(ipam()));
    ASSERT_TRUE(added.ok());
    const std::string checked = with(macvlan(ipam()), "prevResult", added.json);
    EXPECT_EQ(run("CHECK", container.port(), with(checked, "master", "far0")).message(),
              "Container interface eth0 is not on the master far0");
  });
}

TEST_F(CniMacvlan, ContainersOnOneMasterReachEachOther) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container one("c1");
    const Container two("c2");
    ASSERT_TRUE(run("ADD", one.port(), macvlan(ipam())).ok());
    ASSERT_TRUE(run("ADD", two.port(), macvlan(ipam())).ok());
    EXPECT_TRUE(test::pings(one.netns(), IpAddress::parse("10.1.2.2").value(),
                            IpAddress::parse("10.1.2.3").value()));
  });
}

TEST_F(CniMacvlan, TheConfigurationTellsTheDns) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container container("c1");
    const PluginReply added =
        run("ADD", container.port(),
            macvlan(R"(,"dns":{"nameservers":["10.0.0.10"]},"ipam":{"type":"static",
                "addresses":[{"address":"10.1.2.5/24"}],"dns":{"domain":"example.org"}})"));
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["dns"], must(parse_json(R"({"nameservers":["10.0.0.10"]})")));
  });
}

}  // namespace
}  // namespace weft
