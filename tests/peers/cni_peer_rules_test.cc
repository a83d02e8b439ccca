// The plugins that write packet filter rules, beside the Go plugins: the same rules, results and
// refusals, and either side checks and takes away what the other made.
#include <array>

#include <gtest/gtest.h>

#include "peers/cni_state.h"
#include "support/cni_chain.h"
#include "support/cni_container.h"
#include "support/go_peers.h"

namespace weft {
namespace {

using test::CniChain;
using test::Container;
using test::must;
using test::PluginFolder;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

constexpr const char* kBridge =
    R"({"type":"bridge","bridge":"br0","isGateway":true,"ipam":{"type":"host-local",
        "dataDir":"DATA","ranges":[[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:2::/64"}]]}})";

struct Case {
  const char* name;
  const char* members;  // of the plugin's object
  bool refused = false;
};
void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

const Case kIptables[] = {
    {"OnePort", R"("runtimeConfig":{"portMappings":[
        {"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})"},
    {"SeveralProtocolsAndAddresses", R"("runtimeConfig":{"portMappings":[
        {"hostPort":8080,"containerPort":80,"protocol":"tcp"},
        {"hostPort":5353,"containerPort":53,"protocol":"udp"},
        {"HostPort":8081,"ContainerPort":81,"protocol":"tcp","HostIP":"192.0.2.1"},
        {"hostPort":8082,"containerPort":82,"protocol":"tcp","hostIP":"0.0.0.0"},
        {"hostPort":8083,"containerPort":83,"protocol":"tcp","hostIP":"fd00:9::1"}]})"},
    {"Sctp", R"("runtimeConfig":{"portMappings":[
        {"hostPort":8080,"containerPort":80,"protocol":"sctp"}]})"},
    {"MoreThanFifteenPorts", R"("runtimeConfig":{"portMappings":[
        {"hostPort":1,"containerPort":80,"protocol":"tcp"},
        {"hostPort":2,"containerPort":80,"protocol":"tcp"},
        {"hostPort":3,"containerPort":80,"protocol":"tcp"},
        {"hostPort":4,"containerPort":80,"protocol":"tcp"},
        {"hostPort":5,"containerPort":80,"protocol":"tcp"},
        {"hostPort":6,"containerPort":80,"protocol":"tcp"},
        {"hostPort":7,"containerPort":80,"protocol":"tcp"},
        {"hostPort":8,"containerPort":80,"protocol":"tcp"},
        {"hostPort":9,"containerPort":80,"protocol":"tcp"},
        {"hostPort":10,"containerPort":80,"protocol":"tcp"},
        {"hostPort":11,"containerPort":80,"protocol":"tcp"},
        {"hostPort":12,"containerPort":80,"protocol":"tcp"},
        {"hostPort":13,"containerPort":80,"protocol":"tcp"},
        {"hostPort":14,"containerPort":80,"protocol":"tcp"},
        {"hostPort":15,"containerPort":80,"protocol":"tcp"},
        {"hostPort":16,"containerPort":80,"protocol":"tcp"}]})"},
    {"MasqueradeAll", R"("masqAll":true,"runtimeConfig":{"portMappings":[
        {"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})"},
    {"WithoutSnat", R"("snat":false,"runtimeConfig":{"portMappings":[
        {"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})"},
    {"OtherMark", R"("markMasqBit":5,"runtimeConfig":{"portMappings":[
        {"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})"},
    {"MarkedByAnother", R"("externalSetMarkChain":"KUBE-MARK-MASQ","runtimeConfig":{
        "portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})"},
    {"Conditions", R"("conditionsV4":["-s","192.168.0.0/16","!","-i","eth9","-m","mark","--mark",
        "0x4/0xff"],"conditionsV6":["!","-d","fd00:7::/64"],"runtimeConfig":{"portMappings":[
        {"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})"},
    {"ConditionsThatOnlyIptablesKnows", R"("conditionsV4":["-m","statistic","--mode","nth",
        "--every","2","--packet","0"],"runtimeConfig":{"portMappings":[
        {"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})"},
    {"NoMappings", R"("snat":true)"},
    {"NoHostPort", R"("runtimeConfig":{"portMappings":[{"containerPort":80,"protocol":"tcp"}]})",
     true},
    {"NoContainerPort", R"("runtimeConfig":{"portMappings":[{"hostPort":80,"protocol":"tcp"}]})",
     true},
    {"MarkOutOfRange", R"("markMasqBit":32)", true},
    {"TwoMarks", R"("markMasqBit":3,"externalSetMarkChain":"X")", true},
};

const Case kNftables[] = {
    {"OnePort", R"("backend":"nftables","runtimeConfig":{"portMappings":[
        {"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})"},
    {"SeveralProtocolsAndAddresses", R"("backend":"nftables","runtimeConfig":{"portMappings":[
        {"hostPort":8080,"containerPort":80,"protocol":"tcp"},
        {"hostPort":5353,"containerPort":53,"protocol":"udp"},
        {"hostPort":8081,"containerPort":81,"protocol":"tcp","hostIP":"192.0.2.1"},
        {"hostPort":8082,"containerPort":82,"protocol":"sctp","hostIP":"0.0.0.0"},
        {"hostPort":8083,"containerPort":83,"protocol":"tcp","hostIP":"fd00:9::1"}]})"},
    {"WithoutSnat", R"("backend":"nftables","snat":false,"runtimeConfig":{"portMappings":[
        {"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})"},
    {"Conditions", R"("backend":"nftables","conditionsV4":["ip saddr != 10.0.0.0/8",
        "iifname != \"eth9\""],"conditionsV6":["ip6","daddr","fd00:7::/64"],"runtimeConfig":{
        "portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})"},
    {"ConditionsThatOnlyNftKnows", R"("backend":"nftables","conditionsV4":["limit rate 5/second"],
        "runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})"},
    {"ConditionsOfTheOther", R"("backend":"nftables","conditionsV4":["-s","10.0.0.0/8"],
        "runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})",
     true},
    {"ConditionsOfNftables", R"("backend":"iptables","conditionsV4":["ip saddr 10.0.0.0/8"],
        "runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})",
     true},
    {"NoSuchBackend", R"("backend":"pf")", true},
};

const Case kFirewall[] = {
    {"Open", R"("backend":"iptables")"},
    {"OtherAdminChain", R"("backend":"iptables","iptablesAdminChainName":"CNI-MINE")"},
    {"SameBridge", R"("backend":"iptables","ingressPolicy":"same-bridge")"},
    {"Isolated", R"("backend":"iptables","ingressPolicy":"isolated")"},
    {"NoSuchPolicy", R"("backend":"iptables","ingressPolicy":"closed")", true},
};

std::string without_remarks(const std::string& saved) {
  std::string text;
  for (const auto& line : split(saved, '\n'))
    if (!line.starts_with("#")) text += line + "\n";
  return text;
}
// Chain by chain, since nft lists them in the order in which they were made.
std::string hostports(const std::string& family) {
  std::string text;
  for (const char* chain :
       {"hostports", "hostip_hostports", "hostports_all", "prerouting", "output", "masquerading"}) {
    const auto listed =
        must(run({.argv = {"nft", "-s", "list", "chain", family, "cni_hostport", chain}}));
    text += listed.output;
  }
  return text;
}
std::string rules() {
  return without_remarks(must(run_or_fail({.argv = {"iptables-nft-save"}}))) +
         without_remarks(must(run_or_fail({.argv = {"ip6tables-nft-save"}}))) + hostports("ip") +
         hostports("ip6");
}
std::string loopback_routing() {
  return must(run_or_fail({.argv = {"cat", "/proc/sys/net/ipv4/conf/br0/route_localnet"}}));
}

// The folder of a side with what its chain needs: the bridge is always weft's.
class Sides {
 public:
  explicit Sides(const std::string& go_folder) {
    for (const char* plugin : {"firewall", "portmap"})
      EXPECT_EQ(::symlink((go_folder + "/" + plugin).c_str(), (go_.path() + "/" + plugin).c_str()),
                0);
    for (const char* plugin : {"bridge", "host-local"})
      EXPECT_EQ(::symlink(WEFT_CNI, (go_.path() + "/" + plugin).c_str()), 0);
  }
  PluginFolder weft() const { return weft_.folder(); }
  PluginFolder go() const { return PluginFolder(go_.path()); }

 private:
  WeftPlugins weft_;
  TempDir go_;
};

struct Seen {
  PluginReply added;
  std::string rules_after_add;
  std::string loopback;
  PluginReply checked;
  PluginReply deleted;
  std::string rules_after_del;
};

Seen run_sides(const char* plugin, const Case& one, const PluginFolder& adder,
               const PluginFolder& other) {
  Seen seen;
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    for (const char* program : {"iptables-nft", "ip6tables-nft"})
      must(run_or_fail({.argv = {program, "-t", "nat", "-N", "KUBE-MARK-MASQ"}}));
    const TempDir data;
    const Container container("c1");
    CniChain chain({kBridge, std::string(R"({"type":")") + plugin + R"(",)" + one.members + "}"},
                   data.path());
    seen.added = chain.add(adder, container.port());
    seen.rules_after_add = rules();
    seen.loopback = loopback_routing();
    if (seen.added.ok()) {
      seen.checked = chain.check(other, container.port());
      seen.deleted = chain.del(other, container.port());
    }
    seen.rules_after_del = rules();
  });
  return seen;
}

// Go prints 1.x results by their keys' names, and with or without an empty `dns` by the release.
std::string result_of(const Seen& seen) {
  auto sorted = nlohmann::json::parse(test::normalised(seen.added.output));
  if (sorted.value("dns", nlohmann::json()).empty()) sorted.erase("dns");
  return sorted.dump(1);
}

void expect_same_from_both(const char* plugin, const Case& one) {
  const Sides sides(test::go_peer("cni-plugins"));
  const Seen weft = run_sides(plugin, one, sides.weft(), sides.weft());
  const Seen go = run_sides(plugin, one, sides.go(), sides.go());
  EXPECT_EQ(weft.added.ok(), !one.refused) << weft.added.output;
  EXPECT_EQ(weft.added.ok(), go.added.ok()) << weft.added.output << go.added.output;
  EXPECT_EQ(result_of(weft), result_of(go));
  if (one.refused) {
    // The Go plugin leaves some behind.
    EXPECT_EQ(weft.rules_after_add.find("CNI-"), std::string::npos) << weft.rules_after_add;
    return;
  }
  EXPECT_EQ(weft.rules_after_add, go.rules_after_add);
  EXPECT_EQ(weft.loopback, go.loopback);
  const Seen go_after_weft = run_sides(plugin, one, sides.weft(), sides.go());
  const Seen weft_after_go = run_sides(plugin, one, sides.go(), sides.weft());
  for (const Seen* seen : {&weft, &go_after_weft, &weft_after_go}) {
    EXPECT_TRUE(seen->checked.ok()) << seen->checked.output;
    EXPECT_TRUE(seen->deleted.ok()) << seen->deleted.output;
    EXPECT_EQ(seen->rules_after_del, go.rules_after_del);
  }
}

class PeerRules : public testing::TestWithParam<Case> {};
class PeerFirewall : public PeerRules {};
class PeerPortmap : public PeerRules {};

TEST_P(PeerFirewall, IsWhatTheGoPluginDoes) {
  expect_same_from_both("firewall", GetParam());
}
TEST_P(PeerPortmap, IsWhatTheGoPluginDoes) {
  expect_same_from_both("portmap", GetParam());
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Cni, PeerFirewall, testing::ValuesIn(kFirewall), name_of);
INSTANTIATE_TEST_SUITE_P(Iptables, PeerPortmap, testing::ValuesIn(kIptables), name_of);
INSTANTIATE_TEST_SUITE_P(Nftables, PeerPortmap, testing::ValuesIn(kNftables), name_of);

}  // namespace
}  // namespace weft
