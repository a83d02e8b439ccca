// The chained plugins tuning, bandwidth and sbr beside the Go plugins: the same calls on twin wires
// leave the same state, and either side checks and undoes what the other did.
#include <regex>

#include <gtest/gtest.h>

#include "base/text.h"
#include "cni_state.h"
#include "support/cni_wire.h"
#include "support/eventually.h"
#include "support/go_peers.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::PluginFolder;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

/// Debian's release, and the newest.
enum class Release { kDebian, kNewest };

PluginFolder go_plugins(Release release) {
  return PluginFolder(release == Release::kDebian ? "/usr/lib/cni" : test::go_peer("cni-plugins"));
}

struct Case {
  const char* name;
  const char* plugin;
  const char* members;  ///< of the configuration, each with a comma in front
  const char* args = "";
  Release since = Release::kDebian;
  std::vector<std::string> addresses = {"10.1.2.2/24"};
  const char* version = "1.0.0";
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

const Case kCases[] = {
    {"TuningNothing", "tuning", ""},
    {"TuningSysctl", "tuning",
     R"(,"sysctl":{"net.ipv4.conf.eth0.log_martians":"1","net/ipv4/tcp_syncookies":"0"})"},
    {"TuningSysctlOfTheDevice", "tuning", R"(,"sysctl":{"net.ipv4.conf.IFNAME.log_martians":"1"})",
     "", Release::kNewest},
    {"TuningEverything", "tuning",
     R"(,"mac":"c2:11:22:33:44:77","promisc":true,"mtu":1454,"allmulti":true)"},
    {"TuningQueue", "tuning", R"(,"txQLen":2500)", "", Release::kNewest},
    {"TuningArgs", "tuning",
     R"(,"sysctl":{"net.ipv4.ip_forward":"0"},"mtu":1400,
         "args":{"cni":{"mtu":1300,"promisc":true,"mac":"c2:11:22:33:44:78",
                        "sysctl":{"net.ipv4.ip_forward":"1"}}})",
     "MAC=c2:11:22:33:44:01", Release::kNewest},
    {"TuningMacOfTheRuntime", "tuning", R"(,"runtimeConfig":{"mac":"c2:11:22:33:44:77"})",
     "IgnoreUnknown=1;MAC=c2:11:22:33:44:01"},
    {"TuningTwice", "tuning", R"(,"sysctl":{"net.a":"1","net.a":"1"})", "", Release::kNewest},
    {"TuningElsewhere", "tuning", R"(,"sysctl":{"kernel.hostname":"x"})", "", Release::kNewest},
    {"TuningNoSuchSysctl", "tuning", R"(,"sysctl":{"net.ipv4.no.such":"x"})"},
    {"TuningUnknownArgument", "tuning", R"(,"mtu":1400)", "COLOUR=red"},
    {"BandwidthNone", "bandwidth", "", "", Release::kNewest},
    {"BandwidthBoth", "bandwidth",
     R"(,"ingressRate":8000000,"ingressBurst":524288,"egressRate":16000000,"egressBurst":80000)"},
    {"BandwidthIngress", "bandwidth", R"(,"ingressRate":1000000,"ingressBurst":2147483640)"},
    {"BandwidthEgress", "bandwidth", R"(,"egressRate":34359738368,"egressBurst":34359738352)"},
    {"BandwidthOfTheRuntime", "bandwidth",
     R"(,"runtimeConfig":{"bandwidth":{"ingressRate":80000000,"ingressBurst":2147483647,
                                       "egressRate":80000000,"egressBurst":2147483647}})"},
    {"BandwidthOldVersion",
     "bandwidth",
     R"(,"ingressRate":8000,"ingressBurst":80000)",
     "",
     Release::kDebian,
     {"10.1.2.2/24"},
     "0.3.0"},
    {"BandwidthNoBurst", "bandwidth", R"(,"ingressRate":8000)"},
    {"BandwidthNoRate", "bandwidth", R"(,"egressBurst":8000)"},
    {"BandwidthTooMuch", "bandwidth", R"(,"egressRate":8000,"egressBurst":34359738360)"},
    {"SbrOneAddress", "sbr", ""},
    {"SbrSeveralAddresses",
     "sbr",
     "",
     "",
     Release::kDebian,
     {"10.1.2.2/24", "10.1.3.2/24", "10.1.2.3/24"}},
    {"SbrTable", "sbr", R"(,"table":5000)", "", Release::kNewest},
    {"SbrTableOfBothFamilies",
     "sbr",
     R"(,"table":5000)",
     "",
     Release::kNewest,
     {"10.1.2.2/24", "fd00:7::2/64"}},
    {"SbrOldVersion", "sbr", "", "", Release::kDebian, {"10.1.2.2/24"}, "0.3.0"},
    {"SbrNoAddress", "sbr", "", "", Release::kDebian, {}},
    {"SbrWithoutChaining", "sbr", "", "", Release::kDebian, {"10.1.2.2/24"}, "0.2.0"},
};

std::string without(const std::string& text, const char* expression) {
  return std::regex_replace(text, std::regex(expression), "");
}

std::string printed(const std::vector<std::string>& argv) {
  const auto outcome = run({.argv = argv});
  return outcome ? outcome->output : outcome.error().text();
}

/// What the plugins may have changed, less what only ours does: an alias of the device for egress,
/// and a second name of a backup. Theirs redirects a packet twice, of which the second is no more
/// than a line on the screen.
std::map<std::string, std::string> state_of(const Container& container, const std::string& data) {
  auto state = test::observe(container, "host0", data);
  // Whether a new device says that it is up, or nothing, is a matter of milliseconds.
  state["host links"] = without(state["host links"], "\\\\    alias \\S+| state [A-Z]+");
  state["container links"] = without(state["container links"], " state [A-Z]+");
  state["files"] = without(test::normalised(state["files"]), "\\.weft/[^:]*: \\{[^}]*\\}\n");
  state["host qdiscs"] = without(printed({"tc", "qdisc", "show"}), "refcnt \\d+");
  state["host filters"] =
      without(printed({"tc", "filter", "show", "dev", "host0", "parent", "ffff:"}),
              "\taction order 2(.|\n)*|index \\d+ ref \\d+ bind \\d+|random type none pass val 0");
  const auto visit = must(kernel::NetnsVisit::enter(container.netns()));
  state["container rules"] = printed({"ip", "rule"}) + printed({"ip", "-6", "rule"});
  state["sysctls"] =
      printed({"cat", "/proc/sys/net/ipv4/conf/eth0/log_martians",
               "/proc/sys/net/ipv4/tcp_syncookies", "/proc/sys/net/ipv4/ip_forward"});
  return state;
}

struct Trial {
  PluginReply added;
  PluginReply deleted;
  std::map<std::string, std::string> before;
  std::map<std::string, std::string> after_add;
  std::map<std::string, std::string> after_del;
};

// One side adds, and one checks and deletes.
Trial try_case(const PluginFolder& adder, const PluginFolder& deleter, const Case& c) {
  Trial trial;
  const TempDir data;
  const std::string config = R"({"cniVersion":")" + std::string(c.version) +
                             R"(","name":"n","type":")" + c.plugin + R"(","dataDir":")" +
                             data.path() + "\"" + c.members + "}";
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    const test::Wire wire{.addresses = c.addresses};
    test::lay(host, container, wire);
    EXPECT_TRUE(test::eventually([&] {
      return container.inside([](kernel::Rtnetlink& inside) {
        const auto link = must(inside.link("eth0"));
        return link->oper_up;
      });
    }));
    ContainerPort port = container.port();
    port.args = c.args;
    trial.before = state_of(container, data.path());
    const std::string chained = std::string(c.version) == "0.2.0"
                                    ? config
                                    : test::chained(config, test::result_of(container, wire));
    trial.added = adder.call(c.plugin, "ADD", port, chained);
    trial.after_add = state_of(container, data.path());
    if (trial.added.ok() && c.version[0] == '1') {
      const PluginReply checked =
          deleter.call(c.plugin, "CHECK", port, test::chained(config, trial.added.json));
      EXPECT_TRUE(checked.ok()) << checked.output;
    }
    trial.deleted = deleter.call(
        c.plugin, "DEL", port, trial.added.ok() ? test::chained(config, trial.added.json) : config);
    trial.after_del = state_of(container, data.path());
  });
  return trial;
}

nlohmann::json as_value(const PluginReply& reply) {
  auto json = nlohmann::json::parse(test::normalised(reply.output));
  if (json.contains("dns") && json["dns"].empty()) json.erase("dns");
  return json;
}

void expect_same(const std::map<std::string, std::string>& ours,
                 const std::map<std::string, std::string>& theirs) {
  for (const auto& [what, state] : theirs) EXPECT_EQ(ours.at(what), state) << what;
}

using Parameters = std::tuple<Case, Release>;

class ChainedPeers : public testing::TestWithParam<Parameters> {
 protected:
  const Case& tested() const { return std::get<0>(GetParam()); }
  PluginFolder go() const { return go_plugins(std::get<1>(GetParam())); }
};

std::string name_of_case(const testing::TestParamInfo<Parameters>& tested) {
  return std::string(std::get<0>(tested.param).name) +
         (std::get<1>(tested.param) == Release::kDebian ? "" : "Newest");
}

std::vector<Parameters> parameters() {
  std::vector<Parameters> all;
  for (const auto& c : kCases)
    for (const Release release : {Release::kDebian, Release::kNewest})
      if (release >= c.since) all.emplace_back(c, release);
  return all;
}

TEST_P(ChainedPeers, SayAndLeaveTheSame) {
  const WeftPlugins weft;
  const Trial theirs = try_case(go(), go(), tested());
  const Trial ours = try_case(weft.folder(), weft.folder(), tested());
  ASSERT_EQ(ours.added.ok(), theirs.added.ok()) << ours.added.output << theirs.added.output;
  EXPECT_TRUE(ours.deleted.ok()) << ours.deleted.output;
  if (!theirs.added.ok()) {
    EXPECT_EQ(ours.added.code(), theirs.added.code());
    EXPECT_NE(ours.added.message().find(theirs.added.message()), std::string::npos)
        << ours.added.output << theirs.added.output;
    return expect_same(ours.after_add, ours.before);
  }
  EXPECT_EQ(as_value(ours.added), as_value(theirs.added));
  expect_same(ours.after_add, theirs.after_add);
  expect_same(ours.after_del, theirs.after_del);
}

// What one side's ADD made, the other side's DEL takes away as its own would.
TEST_P(ChainedPeers, CheckAndDeleteWhatTheOtherAdded) {
  const WeftPlugins weft;
  const Trial ours = try_case(weft.folder(), weft.folder(), tested());
  for (const auto& trial :
       {try_case(go(), weft.folder(), tested()), try_case(weft.folder(), go(), tested())}) {
    if (!trial.added.ok()) continue;
    EXPECT_TRUE(trial.deleted.ok()) << trial.deleted.output;
    expect_same(trial.after_del, ours.after_del);
  }
}

INSTANTIATE_TEST_SUITE_P(Cni, ChainedPeers, testing::ValuesIn(parameters()), name_of_case);

}  // namespace
}  // namespace weft
