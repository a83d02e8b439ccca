// What the vlan plugin has beyond the other plugins of one device: the cases of
// containernetworking/plugins, plugins/main/vlan/vlan_test.go.
#include "support/cni_fixture.h"
#include "support/ping.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::PluginReply;

class CniVlan : public test::CniFixture {
 protected:
  static std::string vlan(int id, const std::string& more) {
    return config("vlan", R"(,"master":"master0","vlanId":)" + std::to_string(id) + more);
  }
  PluginReply run(const std::string& command, const ContainerPort& port,
                  const std::string& text) const {
    return call("vlan", command, port, text);
  }
  static void make_master(kernel::Rtnetlink& rtnetlink, const kernel::Netns& far) {
    must(rtnetlink.create({.name = "master0",
                           .kind = "veth",
                           .up = true,
                           .peer = kernel::VethPeer{.name = "master0", .netns_fd = far.fd()}}));
  }
};

TEST_F(CniVlan, TheKernelSaysWhatWasMade) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container far("far");
    make_master(host, far.netns());
    const Container container("c1");
    const PluginReply added = run("ADD", container.port(), vlan(4094, ipam()));
    ASSERT_TRUE(added.ok()) << added.output;
    const Json shown = must(
        parse_json(container.run_inside({"ip", "-d", "-j", "link", "show", "dev", "eth0"})))[0];
    EXPECT_EQ(shown["linkinfo"]["info_data"]["id"], 4094);
    EXPECT_EQ(shown["linkinfo"]["info_data"]["protocol"], "802.1Q");
    EXPECT_EQ(shown["address"], must(host.link("master0"))->mac.to_string());
    const std::string checked = with(vlan(4094, ipam()), "prevResult", added.json);
    EXPECT_EQ(run("CHECK", container.port(), with(checked, "vlanId", 7)).message(),
              "VLAN ID of eth0 is 4094, configured is 7");
  });
}

TEST_F(CniVlan, OneContainerAVlanOfAMaster) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container far("far");
    make_master(host, far.netns());
    const Container one("c1");
    const Container two("c2");
    ASSERT_TRUE(run("ADD", one.port(), vlan(7, ipam())).ok());
    const PluginReply second = run("ADD", two.port(), vlan(7, ipam()));
    EXPECT_NE(second.message().find("failed to create vlan"), std::string::npos) << second.output;
    EXPECT_FALSE(has_link(two, "eth0"));
    EXPECT_FALSE(holds("10.1.2.3"));
    EXPECT_TRUE(run("ADD", two.port(), vlan(8, ipam())).ok());
  });
}

TEST_F(CniVlan, TheSameVlanOfTwoMastersIsOneNetwork) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container far("far");
    make_master(host, far.netns());
    far.inside([](kernel::Rtnetlink& inside) {
      must(inside.change(must(inside.link("master0"))->index, {.up = true}));
    });
    const Container here("c1");
    ASSERT_TRUE(run("ADD", here.port(), vlan(7, ipam())).ok());
    const auto add_there = [&](const Container& container, int id) {
      const auto visit = must(kernel::NetnsVisit::enter(far.netns()));
      const PluginReply added = run("ADD", container.port(), vlan(id, ipam()));
      EXPECT_TRUE(added.ok()) << added.output;
    };
    const Container same("c2");
    const Container other("c3");
    add_there(same, 7);
    add_there(other, 8);
    const IpAddress from = IpAddress::parse("10.1.2.2").value();
    EXPECT_TRUE(test::pings(here.netns(), from, IpAddress::parse("10.1.2.3").value()));
    EXPECT_FALSE(test::pings(here.netns(), from, IpAddress::parse("10.1.2.4").value()));
  });
}

}  // namespace
}  // namespace weft
