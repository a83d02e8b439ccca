// What the tap plugin has beyond the other plugins of one device: the cases of
// containernetworking/plugins, plugins/main/tap/tap_test.go.
#include "support/cni_fixture.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::PluginReply;

class CniTap : public test::CniFixture {
 protected:
  PluginReply run(const std::string& command, const ContainerPort& port,
                  const std::string& text) const {
    return call("tap", command, port, text);
  }
  /// The kernel's own words for the device.
  static Json shown(const Container& container) {
    return must(
        parse_json(container.run_inside({"ip", "-d", "-j", "link", "show", "dev", "eth0"})))[0];
  }
};

TEST_F(CniTap, OwnerGroupQueuesMtuAndMac) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const PluginReply added =
        run("ADD", container.port(),
            config("tap", R"(,"multiQueue":true,"mtu":1400,"mac":"02:00:00:00:00:01",
                "owner":1234,"group":0,"selinuxContext":"")"));
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["interfaces"][0]["mac"], "02:00:00:00:00:01");
    const Json link = shown(container);
    EXPECT_EQ(link["mtu"], 1400);
    EXPECT_EQ(link["address"], "02:00:00:00:00:01");
    const Json& data = link["linkinfo"]["info_data"];
    EXPECT_EQ(data["type"], "tap");
    EXPECT_EQ(data["multi_queue"], true);
    EXPECT_EQ(data["vnet_hdr"], true);
    EXPECT_EQ(data["persist"], true);
    EXPECT_EQ(data["pi"], false);
    EXPECT_EQ(data["user"], 1234);
    EXPECT_EQ(data["group"], "root");
    EXPECT_TRUE(run("DEL", container.port(), config("tap", "")).ok());
    EXPECT_FALSE(has_link(container, "eth0"));
  });
}

TEST_F(CniTap, CheckSeesWhoMayUseIt) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const std::string made = config("tap", R"(,"owner":1234,"group":5)");
    const PluginReply added = run("ADD", container.port(), made);
    ASSERT_TRUE(added.ok()) << added.output;
    const auto complaint = [&](const std::string& members) {
      return run("CHECK", container.port(), with(config("tap", members), "prevResult", added.json))
          .message();
    };
    EXPECT_EQ(complaint(R"(,"owner":1234,"group":5)"), "");
    EXPECT_EQ(complaint(""), "");
    EXPECT_EQ(complaint(R"(,"owner":1235)"), "the owner of eth0 is not 1235");
    EXPECT_EQ(complaint(R"(,"group":0)"), "the group of eth0 is not 0");
    EXPECT_EQ(complaint(R"(,"multiQueue":true)"), "eth0 has one queue, configured are several");
    container.run_inside({"ip", "link", "delete", "eth0"});
    container.run_inside({"ip", "tuntap", "add", "eth0", "mode", "tun"});
    EXPECT_EQ(complaint(""), "Container interface eth0 is not a TAP device");
  });
}

TEST_F(CniTap, TheRuntimesMacIsStrongest) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    ContainerPort port = container.port();
    port.args = "IgnoreUnknown=1;MAC=02:00:00:00:00:02";
    const PluginReply added =
        run("ADD", port, config("tap", R"(,"mac":"02:00:00:00:00:01","owner":0,"group":0,
                              "runtimeConfig":{"mac":"02:00:00:00:00:03"})"));
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(link_in(container).mac.to_string(), "02:00:00:00:00:03");
  });
}

TEST_F(CniTap, IsAPortOfABridgeInTheContainer) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const std::string text = config("tap", R"(,"bridge":"br1")");
    // A failure after the device was made leaves none behind.
    EXPECT_EQ(run("ADD", container.port(), text).message(),
              "failed to get bridge br1: Link not found");
    EXPECT_FALSE(has_link(container, "eth0"));
    const LinkIndex bridge = container.inside([](kernel::Rtnetlink& inside) {
      must(inside.create({.name = "br1", .kind = "bridge", .up = true, .bridge = BridgeOptions{}}));
      return must(inside.link("br1"))->index;
    });
    const PluginReply added = run("ADD", container.port(), text);
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(link_in(container).master, bridge);
    EXPECT_TRUE(link_in(container).up);
    EXPECT_EQ(added.json["interfaces"].size(), 1U);
    const PluginReply checked =
        run("CHECK", container.port(), with(text, "prevResult", added.json));
    EXPECT_TRUE(checked.ok()) << checked.output;
    container.run_inside({"ip", "link", "set", "eth0", "nomaster"});
    EXPECT_EQ(run("CHECK", container.port(), with(text, "prevResult", added.json)).message(),
              "Container interface eth0 is not a port of the bridge br1");
    EXPECT_TRUE(run("DEL", container.port(), text).ok());
    EXPECT_TRUE(has_link(container, "br1"));
  });
}

TEST_F(CniTap, AContextOfSelinuxThatCannotBeSetIsAnErrorAndNoDevice) {
  if (read_file("/sys/fs/selinux/enforce")) GTEST_SKIP() << "SELinux is on";
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const PluginReply added =
        run("ADD", container.port(),
            config("tap", R"(,"selinuxContext":"system_u:system_r:container_t:s0")"));
    EXPECT_NE(added.message().find("setting the SELinux context system_u:system_r:container_t:s0"),
              std::string::npos)
        << added.output;
    EXPECT_FALSE(has_link(container, "eth0"));
  });
}

TEST_F(CniTap, AWrongMtuIsRefused) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    EXPECT_EQ(run("ADD", container.port(), config("tap", R"(,"mtu":-1)")).message(),
              "invalid MTU -1");
    EXPECT_FALSE(run("ADD", container.port(), config("tap", R"(,"mtu":20)" + ipam())).ok());
    EXPECT_FALSE(has_link(container, "eth0"));
  });
}

}  // namespace
}  // namespace weft
