// Every backend that leaves the carrying to the kernel, in every stack of families: what is on
// the nodes, and whether packets pass.
#include <algorithm>
#include <filesystem>
#include <tuple>

#include <gtest/gtest.h>

#include "base/text.h"
#include "cluster/subnet_env.h"
#include "store/directory_store.h"
#include "support/datagram.h"
#include "support/segment.h"

namespace weft::overlay {
namespace {

using test::datagram_arrives;
using test::eventually;
using test::ip;
using test::must;
using test::Node;
using test::OverlayState;

struct Stack {
  const char* name;
  const char* networks;  // members of net-conf.json
  std::vector<Family> families;
};

struct Backend {
  const char* name;
  const char* type;
  bool has_devices;
};

using Variant = std::tuple<Backend, Stack>;

class FamiliesTest : public testing::TestWithParam<Variant> {
 protected:
  void SetUp() override {
    must(write_file_atomically(dir_.path() + "/store/config",
                               "{" + std::string(std::get<1>(GetParam()).networks) +
                                   R"(,"Backend":{"Type":")" + backend().type + "\"}}",
                               0644));
  }
  const Backend& backend() const { return std::get<0>(GetParam()); }
  const std::vector<Family>& families() const { return std::get<1>(GetParam()).families; }

  std::unique_ptr<Node> add_node(int number) {
    const std::string n = std::to_string(number);
    std::vector<std::string> addresses;
    for (const Family family : families())
      addresses.push_back(family == Family::kIpv4 ? "192.0.2." + n + "/24"
                                                  : "2001:db8::" + n + "/64");
    auto node = segment_.add_node(addresses);
    node->start_agent(*store_);
    return node;
  }
  bool has_peer(Node& node) const {
    return eventually([&] {
      return std::filesystem::exists(node.subnet_file()) && node.peers() == families().size();
    });
  }
  static SubnetEnv env(Node& node) {
    return must(SubnetEnv::parse(must(read_file(node.subnet_file()))));
  }
  // The gateway of a node's pods, as the bridge plugin will make it.
  static IpAddress add_gateway(Node& node, Family family) {
    if (!must(node.rtnetlink().link("cni0")))
      must(node.rtnetlink().create({.name = "cni0", .kind = "bridge", .up = true}));
    const Prefix subnet = env(node).subnets.at(family);
    const IpAddress gateway = subnet.address().plus(1).value();
    const std::string words = family == Family::kIpv4 ? "" : " nodad";
    node.sh("ip addr add " + gateway.to_string() + "/" + std::to_string(subnet.length()) +
            " dev cni0" + words);
    return gateway;
  }
  static IpAddress underlay(Family family, int number) {
    return ip((family == Family::kIpv4 ? "192.0.2." : "2001:db8::") + std::to_string(number));
  }

  test::TempDir dir_;
  std::unique_ptr<DirectoryStore> store_ = must(DirectoryStore::open(dir_.path() + "/store"));
  test::Segment segment_;
};

TEST_P(FamiliesTest, PacketsPassBothWaysInEachFamily) {
  auto first = add_node(1);
  auto second = add_node(2);
  ASSERT_TRUE(has_peer(*first));
  ASSERT_TRUE(has_peer(*second));
  for (const Family family : families()) {
    const IpAddress here = add_gateway(*first, family);
    const IpAddress there = add_gateway(*second, family);
    // The first packet of a family may wait for its neighbour, and an address for its DAD.
    EXPECT_TRUE(eventually([&] { return datagram_arrives(*first, here, *second, there); }))
        << to_string(family);
    EXPECT_TRUE(eventually([&] { return datagram_arrives(*second, there, *first, here); }))
        << to_string(family);
  }
}

TEST_P(FamiliesTest, EachFamilyHasItsDeviceEntriesAndRulesAndNoOtherFamilyAny) {
  auto node = add_node(1);
  auto peer = add_node(2);
  ASSERT_TRUE(has_peer(*node));
  ASSERT_TRUE(has_peer(*peer));
  const OverlayState state = node->overlay_state();
  const std::size_t devices = backend().has_devices ? families().size() : 0;
  EXPECT_EQ(state.vteps.size(), devices);
  EXPECT_EQ(state.addresses.size(), devices);
  EXPECT_EQ(state.tables.neighbours.size(), devices);
  EXPECT_EQ(state.tables.fdb.size(), devices);
  for (const Family family : families()) {
    const bool v4 = family == Family::kIpv4;
    const Prefix subnet = env(*peer).subnets.at(family);
    const Route& route = state.tables.routes.at(main_route(subnet));
    if (backend().has_devices) {
      const Link vtep = node->link(v4 ? "flannel.1" : "flannel-v6.1");
      EXPECT_EQ(vtep.mtu, v4 ? 1450U : 1430U);
      EXPECT_EQ(vtep.vxlan->local, underlay(family, 1));
      EXPECT_EQ(route.link(), vtep.index);
      EXPECT_EQ(route.gateway(), subnet.address());
      const MacAddress mac = peer->link(vtep.name).mac;
      EXPECT_EQ(state.tables.neighbours.at({.link = vtep.index, .address = subnet.address()}).mac,
                mac);
      EXPECT_EQ(state.tables.fdb.at({.link = vtep.index, .mac = mac}).remote, underlay(family, 2));
    } else {
      EXPECT_EQ(route.link(), node->link("eth0").index);
      EXPECT_EQ(route.gateway(), underlay(family, 2));
    }
  }
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const std::string program = family == Family::kIpv4 ? "iptables" : "ip6tables";
    const bool wanted = std::count(families().begin(), families().end(), family) != 0;
    const auto stands = [&] {
      const auto has = [&](const std::string& words, const char* rule) {
        return node->sh(program + words).find(rule) != std::string::npos;
      };
      return has(" -t nat -S", "-A POSTROUTING") && has(" -S", "-A FLANNEL-FWD");
    };
    if (wanted)
      EXPECT_TRUE(eventually(stands)) << program;
    else
      EXPECT_FALSE(stands()) << program;
  }
  // The pods of both families share one MTU: that of the family that loses more.
  const bool has_v6 = families().back() == Family::kIpv6;
  EXPECT_EQ(env(*node).mtu, !backend().has_devices ? 1500U : has_v6 ? 1430U : 1450U);
  EXPECT_EQ(env(*node).networks.size(), families().size());
}

constexpr char kIpv4Network[] = R"("Network":"10.244.0.0/16")";
constexpr char kBothNetworks[] =
    R"("Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:244::/48")";
constexpr char kIpv6Network[] =
    R"("EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fd00:244::/48")";

INSTANTIATE_TEST_SUITE_P(
    Of, FamiliesTest,
    testing::Combine(testing::Values(Backend{"Vxlan", "vxlan", true},
                                     Backend{"HostGw", "host-gw", false}),
                     testing::Values(Stack{"Ipv4", kIpv4Network, {Family::kIpv4}},
                                     Stack{"Both", kBothNetworks, {Family::kIpv4, Family::kIpv6}},
                                     Stack{"Ipv6", kIpv6Network, {Family::kIpv6}})),
    [](const auto& of) {
      return std::string(std::get<0>(of.param).name) + std::get<1>(of.param).name;
    });

}  // namespace
}  // namespace weft::overlay
