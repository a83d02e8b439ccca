// The bridge plugin's VLANs, which need a bridge that filters them.
#include <gtest/gtest.h>

#include "support/cni_container.h"
#include "support/ping.h"

namespace weft {
namespace {

using test::Container;
using test::must;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

class CniBridgeVlan : public testing::Test {
 protected:
  /// Without addresses; `more` are further members, each with a comma in front.
  static std::string layer2(const std::string& more) {
    return R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0")" + more + "}";
  }
  std::string layer3(const std::string& more) const {
    return layer2(more + R"(,"isGateway":true,"ipam":{"type":"host-local","dataDir":")" +
                  data_.path() + R"(","ranges":[[{"subnet":"10.1.2.0/24"}]]})");
  }
  PluginReply call(const char* command, const Container& container,
                   const std::string& config) const {
    return plugins_.folder().call("bridge", command, container.port(), config);
  }
  /// The VLANs of the port that an ADD made: "1 Egress Untagged, 100 PVID Egress Untagged".
  std::string vlans_after_add(const Container& container, const std::string& config) const {
    const PluginReply added = call("ADD", container, config);
    EXPECT_TRUE(added.ok()) << added.output;
    return added.ok() ? vlans_of(added.json["interfaces"][1]["name"]) : "";
  }
  static std::string vlans_of(const std::string& port) {
    const auto shown = must(
        parse_json(must(run_or_fail({.argv = {"bridge", "-j", "vlan", "show", "dev", port}}))));
    std::string text;
    for (const auto& vlan : shown[0]["vlans"]) {
      text += (text.empty() ? "" : ", ") + std::to_string(vlan["vlan"].get<int>());
      if (vlan.contains("vlanEnd")) text += "-" + std::to_string(vlan["vlanEnd"].get<int>());
      if (!vlan.contains("flags")) continue;
      for (const auto& flag : vlan["flags"]) text += " " + flag.get<std::string>();
    }
    return text;
  }

  TempDir data_;
  WeftPlugins plugins_;
};

TEST_F(CniBridgeVlan, Layer2WithVlan) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    EXPECT_EQ(vlans_after_add(container, layer2(R"(,"vlan":100)")),
              "1 Egress Untagged, 100 PVID Egress Untagged");
    EXPECT_TRUE(must(host.link("br0"))->bridge->vlan_filtering);
    EXPECT_TRUE(call("DEL", container, layer2(R"(,"vlan":100)")).ok());
  });
}

TEST_F(CniBridgeVlan, Layer2WithTrunk) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    EXPECT_EQ(vlans_after_add(Container("c1"),
                              layer2(R"(,"vlanTrunk":[{"id":101},{"minID":200,"maxID":203}])")),
              "1 PVID Egress Untagged, 101, 200, 201, 202, 203");
  });
}

TEST_F(CniBridgeVlan, Layer2WithVlanAndTrunk) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    EXPECT_EQ(vlans_after_add(Container("c1"),
                              layer2(R"(,"vlan":100,"vlanTrunk":[{"id":100},{"id":101}])")),
              "1 Egress Untagged, 100 PVID Egress Untagged, 101");
  });
}

TEST_F(CniBridgeVlan, WithoutTheDefaultVlan) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    EXPECT_EQ(
        vlans_after_add(Container("c1"), layer2(R"(,"vlan":100,"preserveDefaultVlan":false)")),
        "100 PVID Egress Untagged");
    EXPECT_EQ(vlans_after_add(Container("c2"),
                              layer2(R"(,"vlanTrunk":[{"id":7}],"preserveDefaultVlan":false)")),
              "7");
  });
}

TEST_F(CniBridgeVlan, Layer3HasItsGatewayOnAPortInTheVlan) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    const std::string config = layer3(R"(,"vlan":100,"preserveDefaultVlan":false)");
    const PluginReply added = call("ADD", container, config);
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["interfaces"][3]["name"], "br0.100");
    const auto gateway = must(host.link("br0.100"));
    ASSERT_TRUE(gateway);
    EXPECT_EQ(must(host.addresses(gateway->index))[0].key.address,
              InterfaceAddress::parse("10.1.2.1/24"));
    EXPECT_EQ(vlans_of(must(host.link(gateway->peer))->name), "100 PVID Egress Untagged");
    EXPECT_TRUE(test::pings(container.netns(), IpAddress::parse("10.1.2.2").value(),
                            IpAddress::parse("10.1.2.1").value()));
    // A second container of the VLAN finds the gateway there.
    const Container second("c2");
    EXPECT_TRUE(call("ADD", second, config).ok());
    EXPECT_TRUE(call("DEL", container, config).ok());
    EXPECT_TRUE(call("DEL", second, config).ok());
  });
}

TEST_F(CniBridgeVlan, ContainersReachTheirOwnVlanAlone) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container containers[] = {Container("c1"), Container("c2"), Container("c3")};
    const char* vlans[] = {R"(,"vlan":100,"preserveDefaultVlan":false)",
                           R"(,"vlan":100,"preserveDefaultVlan":false)",
                           R"(,"vlan":200,"preserveDefaultVlan":false)"};
    std::vector<IpAddress> addresses;
    for (std::size_t i = 0; i < std::size(containers); ++i) {
      ASSERT_TRUE(call("ADD", containers[i], layer2(vlans[i])).ok());
      addresses.push_back(IpAddress::v4(0x0a070001 + static_cast<std::uint32_t>(i)));
      containers[i].inside([&](kernel::Rtnetlink& inside) {
        const LinkIndex eth0 = must(inside.link("eth0"))->index;
        must(inside.add({.key = {.link = eth0, .address = {addresses[i], 24}}}));
      });
    }
    EXPECT_TRUE(test::pings(containers[0].netns(), addresses[0], addresses[1]));
    EXPECT_FALSE(test::pings(containers[0].netns(), addresses[0], addresses[2]));
  });
}

}  // namespace
}  // namespace weft
