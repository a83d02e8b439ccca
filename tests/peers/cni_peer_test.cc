// weft-cni beside the Go plugins of Debian's containernetworking-plugins: the same calls in twin
// namespaces leave the same state, and either side undoes and checks what the other did.
#include <gtest/gtest.h>

#include "base/files.h"
#include "cni_twins.h"

namespace weft {
namespace {

using test::AcrossTheSides;
using test::Container;
using test::go_plugins;
using test::must;
using test::PluginFolder;
using test::PluginReply;
using test::replace_all;
using test::SameAsGo;
using test::TempDir;
using test::WeftPlugins;

using Case = test::TwinCase;

const Case kCases[] = {
    {"Layer2", R"({"cniVersion":"0.4.0","name":"n","type":"bridge","bridge":"br0"})"},
    {"OneAddress",
     R"({"cniVersion":"0.4.0","name":"n","type":"bridge","bridge":"br0","isGateway":true,
         "ipam":{"type":"host-local","dataDir":"DATA","subnet":"10.1.2.0/24"}})"},
    {"DefaultGateway",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0","isDefaultGateway":true,
         "ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24"}]]}})"},
    {"DualStack",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0","isDefaultGateway":true,
         "ipam":{"type":"host-local","dataDir":"DATA",
                 "ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:1::/64"}]]}})"},
    {"OnlyIpv6",
     R"({"cniVersion":"0.3.1","name":"n","type":"bridge","bridge":"br0","isGateway":true,
         "ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"fd00:1::/64"}]],
                 "routes":[{"dst":"::/0"}]}})"},
    {"RoutesWithAndWithoutGateway",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0","isGateway":true,
         "ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24"}]],
                 "routes":[{"dst":"10.0.0.0/8"},{"dst":"192.168.0.0/16","gw":"10.1.2.77"}]}})",
     "", false},
    {"NoGateway",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0",
         "ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24"}]]}})"},
    {"OldVersion",
     R"({"cniVersion":"0.2.0","name":"n","type":"bridge","bridge":"br0","isDefaultGateway":true,
         "ipam":{"type":"host-local","dataDir":"DATA","subnet":"10.1.2.0/24",
                 "routes":[{"dst":"10.0.0.0/8"}]}})"},
    {"WithoutVersion",
     R"({"name":"n","type":"bridge","bridge":"br0",
         "ipam":{"type":"host-local","dataDir":"DATA","subnet":"10.1.2.0/24"}})"},
    {"MtuHairpinAndKeysInOtherCase",
     R"({"CNIVersion":"1.0.0","name":"n","type":"bridge","BRIDGE":"br0","MTU":1400,
         "hairpinmode":true,"isGateway":true,
         "IPAM":{"type":"host-local","datadir":"DATA","Ranges":[[{"Subnet":"10.1.2.0/24"}]]}})"},
    {"Promiscuous",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0","promiscMode":true})", "",
     false},
    {"RequestedAddressAndMac",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0","isGateway":true,
         "args":{"cni":{"ips":["10.1.2.99"]}},
         "runtimeConfig":{"mac":"02:11:22:33:44:55"},
         "ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24"}]]}})"},
    {"ArgumentsOfKubernetes",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0","isGateway":true,
         "ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24",
                 "rangeStart":"10.1.2.20","rangeEnd":"10.1.2.30","gateway":"10.1.2.254"}]]}})",
     "K8S_POD_NAME=web;IgnoreUnknown=1;K8S_POD_NAMESPACE=default"},
    {"DnsOfTheConfiguration",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0",
         "dns":{"nameservers":["10.0.0.10"],"search":["example.org"]},
         "ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24"}]]}})"},
    {"Loopback", R"({"cniVersion":"0.3.1","name":"n","type":"loopback"})"},
    // Refusals.
    {"NoSuchVersion", R"({"cniVersion":"9.9.9","name":"n","type":"bridge"})"},
    {"NameMissing", R"({"cniVersion":"1.0.0","type":"bridge"})"},
    {"HairpinAndPromiscuous",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0","hairpinMode":true,
         "promiscMode":true})"},
    {"VlanOutOfRange",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0","vlan":4095})"},
    {"SubnetTooSmall",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0",
         "ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/31"}]]}})"},
    {"NoRanges",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0",
         "ipam":{"type":"host-local","dataDir":"DATA"}})"},
    {"SetsOverlap",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0",
         "ipam":{"type":"host-local","dataDir":"DATA",
                 "ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"10.1.0.0/16"}]]}})"},
    {"TwoAddressesOfAFamilyInAnOldVersion",
     R"({"cniVersion":"0.2.0","name":"n","type":"bridge","bridge":"br0",
         "ipam":{"type":"host-local","dataDir":"DATA",
                 "ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"10.1.3.0/24"}]]}})"},
    {"RequestedAddressOfNoRange",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0",
         "args":{"cni":{"ips":["10.9.9.9"]}},
         "ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24"}]]}})"},
    {"RequestedAddressIsTheGateway",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0",
         "args":{"cni":{"ips":["10.1.2.1"]}},
         "ipam":{"type":"host-local","dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24"}]]}})"},
    {"UnknownArguments", R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0"})",
     "COLOUR=red"},
    {"NoSuchIpam",
     R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0",
         "ipam":{"type":"no-such-plugin"}})"},
};

INSTANTIATE_TEST_SUITE_P(Cni, SameAsGo, testing::ValuesIn(kCases), test::name_of_case);
INSTANTIATE_TEST_SUITE_P(Cni, AcrossTheSides, testing::ValuesIn(kCases), test::name_of_case);

constexpr const char* kMasquerading =
    R"({"cniVersion":"1.0.0","name":"n","type":"bridge","bridge":"br0","isGateway":true,
        "ipMasq":true,"ipMasqBackend":"iptables","ipam":{"type":"host-local","dataDir":"DATA",
        "ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:1::/64"}]]}})";

std::string iptables_rules() {
  return must(run_or_fail({.argv = {"iptables", "-t", "nat", "-S"}})) +
         must(run_or_fail({.argv = {"ip6tables", "-t", "nat", "-S"}}));
}

TEST(CniPeers, MasqueradingWithIptablesIsTheSameAndEitherSideRemovesIt) {
  const WeftPlugins weft;
  const PluginFolder sides[] = {go_plugins(), weft.folder()};
  std::string rules[2];
  for (std::size_t adder = 0; adder < 2; ++adder)
    for (std::size_t deleter = 0; deleter < 2; ++deleter) {
      const TempDir data;
      test::in_fresh_netns([&](kernel::Rtnetlink&) {
        const Container container("c1");
        const std::string config = replace_all(kMasquerading, "DATA", data.path());
        const PluginReply added = sides[adder].call("bridge", "ADD", container.port(), config);
        ASSERT_TRUE(added.ok()) << added.output;
        rules[adder] = iptables_rules();
        const PluginReply deleted = sides[deleter].call("bridge", "DEL", container.port(), config);
        EXPECT_TRUE(deleted.ok()) << deleted.output;
        EXPECT_EQ(iptables_rules().find("CNI-"), std::string::npos)
            << iptables_rules() << adder << deleter;
      });
    }
  EXPECT_EQ(rules[1], rules[0]);
}

TEST(CniPeers, WeftsFlannelDrivesGosBridge) {
  const WeftPlugins weft;
  TempDir data;
  TempDir mixed;
  ASSERT_EQ(::symlink(WEFT_CNI, (mixed.path() + "/flannel").c_str()), 0);
  for (const std::string name : {"bridge", "host-local"})
    ASSERT_EQ(::symlink(("/usr/lib/cni/" + name).c_str(), (mixed.path() + "/" + name).c_str()), 0);
  must(write_file_atomically(data.path() + "/subnet.env",
                             "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.3.1/24\n"
                             "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n",
                             0644));
  const std::string config =
      R"({"cniVersion":"1.0.0","name":"cbr0","type":"flannel","subnetFile":")" + data.path() +
      R"(/subnet.env","dataDir":")" + data.path() + R"(/flannel","ipam":{"dataDir":")" +
      data.path() + R"(/networks"},"delegate":{"hairpinMode":true,"isDefaultGateway":true}})";
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    const PluginFolder plugins(mixed.path());
    const PluginReply added = plugins.call("flannel", "ADD", container.port(), config);
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["ips"][0]["address"], "10.244.3.2/24");
    EXPECT_EQ(must(host.link("cni0"))->mtu, 1450U);
    const PluginReply deleted = plugins.call("flannel", "DEL", container.port(), config);
    EXPECT_TRUE(deleted.ok()) << deleted.output;
    EXPECT_EQ(must(read_file(data.path() + "/networks/cbr0/last_reserved_ip.0")), "10.244.3.2");
    EXPECT_FALSE(read_file(data.path() + "/networks/cbr0/10.244.3.2"));
    EXPECT_FALSE(read_file(data.path() + "/flannel/c1"));
  });
}

}  // namespace
}  // namespace weft
