// weft-cni beside the Go plugins of Debian's containernetworking-plugins: the same calls in twin
// namespaces leave the same state, and either side undoes and checks what the other did.
#include <regex>

#include <gtest/gtest.h>

#include "base/files.h"
#include "cni_state.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::observe;
using test::PluginFolder;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

const PluginFolder& go_plugins() {
  static const PluginFolder folder("/usr/lib/cni");
  return folder;
}

std::string replace_all(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

struct Case {
  const char* name;
  const char* config;  ///< DATA stands for the folder of host-local
  const char* args = "";
  bool go_can_check = true;  ///< false where its CHECK refuses what its own ADD made
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

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

/// What one side's ADD and DEL of a case said and left.
struct Trial {
  PluginReply added;
  PluginReply deleted;
  std::map<std::string, std::string> after_add;
  std::map<std::string, std::string> after_del;
};

std::string plugin_of(const std::string& config) {
  return config.find("loopback") == std::string::npos ? "bridge" : "loopback";
}

Trial try_case(const PluginFolder& plugins, const Case& c) {
  Trial trial;
  TempDir data;
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    ContainerPort port = container.port();
    port.args = c.args;
    const std::string config = replace_all(c.config, "DATA", data.path());
    trial.added = plugins.call(plugin_of(config), "ADD", port, config);
    trial.after_add = observe(container, "br0", data.path());
    trial.deleted = plugins.call(plugin_of(config), "DEL", port, config);
    trial.after_del = observe(container, "br0", data.path());
  });
  return trial;
}

std::string name_of_case(const testing::TestParamInfo<Case>& tested) {
  return tested.param.name;
}

/// Compares what there is on our side with every part of theirs.
void expect_same(const std::map<std::string, std::string>& ours,
                 const std::map<std::string, std::string>& theirs) {
  for (const auto& [what, state] : theirs) EXPECT_EQ(ours.at(what), state) << what;
}

// A bridge that lost its last port needs a moment to notice.
std::map<std::string, std::string> without_carrier(std::map<std::string, std::string> state) {
  std::string& links = state["host links"];
  links = std::regex_replace(links, std::regex("NO-CARRIER,|,LOWER_UP| state [A-Z]+"), "");
  return state;
}

class SameAsGo : public testing::TestWithParam<Case> {};

// A result as a value, since the order of members is nobody's business. An empty `dns`, and the
// `version` that version 1.1 of the Go loopback forgets, say nothing.
nlohmann::json as_value(const PluginReply& reply) {
  auto json = nlohmann::json::parse(test::normalised(reply.output));
  if (json.contains("dns") && json["dns"].empty()) json.erase("dns");
  if (json.contains("ips") && json["interfaces"][0]["name"] == "lo")
    for (auto& ip : json["ips"]) ip.erase("version");
  return json;
}

// We may say more, but what they say is in it.
void expect_same_refusal(const PluginReply& ours, const PluginReply& theirs) {
  EXPECT_EQ(ours.code(), theirs.code()) << ours.output << theirs.output;
  std::string said = test::normalised(theirs.message());
  if (said.ends_with('.')) said.pop_back();
  EXPECT_NE(test::normalised(ours.message()).find(said), std::string::npos)
      << ours.output << theirs.output;
}

TEST_P(SameAsGo, AddAndDelSayAndLeaveTheSame) {
  const WeftPlugins weft;
  const Trial theirs = try_case(go_plugins(), GetParam());
  const Trial ours = try_case(weft.folder(), GetParam());
  ASSERT_EQ(ours.added.ok(), theirs.added.ok()) << ours.added.output << theirs.added.output;
  // Where theirs succeeds ours does; ours may succeed more often.
  EXPECT_TRUE(ours.deleted.ok() || !theirs.deleted.ok()) << ours.deleted.output;
  if (!theirs.added.ok()) return expect_same_refusal(ours.added, theirs.added);
  EXPECT_EQ(as_value(ours.added), as_value(theirs.added));
  expect_same(ours.after_add, theirs.after_add);
  EXPECT_EQ(ours.deleted.output, theirs.deleted.output);
  expect_same(without_carrier(ours.after_del), without_carrier(theirs.after_del));
}

INSTANTIATE_TEST_SUITE_P(Cni, SameAsGo, testing::ValuesIn(kCases), name_of_case);

class AcrossTheSides : public testing::TestWithParam<Case> {};

std::string with_previous(const std::string& config, const PluginReply& added) {
  auto json = must(parse_json(config));
  json["prevResult"] = added.json;
  return to_text(json);
}

// One side adds, the other checks and deletes.
void add_here_and_delete_there(const PluginFolder& adder, const PluginFolder& deleter,
                               const Case& c) {
  TempDir data;
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    ContainerPort port = container.port();
    port.args = c.args;
    const std::string config = replace_all(c.config, "DATA", data.path());
    const std::string plugin = plugin_of(config);
    const auto before = observe(container, "br0", data.path());
    const PluginReply added = adder.call(plugin, "ADD", port, config);
    if (!added.ok()) return;
    const std::string chained = with_previous(config, added);
    const bool can_check = &deleter != &go_plugins() || c.go_can_check;
    if (can_check && config.find("\"1.0.0\"") != std::string::npos) {
      const PluginReply checked = deleter.call(plugin, "CHECK", port, chained);
      EXPECT_TRUE(checked.ok()) << checked.output << checked.errors;
    }
    const PluginReply deleted = deleter.call(plugin, "DEL", port, config);
    EXPECT_TRUE(deleted.ok()) << deleted.output;
    const auto after = observe(container, "br0", data.path());
    EXPECT_EQ(after.at("container links"), before.at("container links"));
    EXPECT_EQ(after.at("files").find("c1"), std::string::npos) << after.at("files");
    EXPECT_EQ(after.at("host links").find("veth"), std::string::npos) << after.at("host links");
    // And the address is free for the side that gave it out.
    const PluginReply again = adder.call(plugin, "ADD", port, config);
    EXPECT_TRUE(again.ok()) << again.output;
  });
}

TEST_P(AcrossTheSides, WeftChecksAndDeletesWhatGoAdded) {
  const WeftPlugins weft;
  add_here_and_delete_there(go_plugins(), weft.folder(), GetParam());
}

TEST_P(AcrossTheSides, GoChecksAndDeletesWhatWeftAdded) {
  const WeftPlugins weft;
  add_here_and_delete_there(weft.folder(), go_plugins(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Cni, AcrossTheSides, testing::ValuesIn(kCases), name_of_case);

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
