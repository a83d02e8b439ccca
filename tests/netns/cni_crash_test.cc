// A plugin killed at the worst moment: at each of its system calls that change something. The
// next DEL and ADD then finish, nothing is left over, and no address is given out twice.
#include <algorithm>
#include <set>
#include <span>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"
#include "support/cni_container.h"
#include "support/crashing_process.h"

namespace weft {
namespace {

using test::Container;
using test::must;
using test::PluginFolder;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

constexpr unsigned kMostWrites = 400;

struct Setup {
  const char* plugin;
  const char* config;  ///< DATA stands for a folder of the test's own
};

std::ostream& operator<<(std::ostream& out, const Setup& setup) {
  return out << setup.plugin;
}

const Setup kSetups[] = {
    {"bridge",
     R"({"cniVersion":"1.1.0","name":"n","type":"bridge","bridge":"br0","isDefaultGateway":true,
         "ipMasq":true,"ipam":{"type":"host-local","dataDir":"DATA/networks",
         "ranges":[[{"subnet":"10.1.2.0/29"}],[{"subnet":"fd00:1::/120"}]]}})"},
    {"flannel",
     R"({"cniVersion":"1.1.0","name":"n","type":"flannel","subnetFile":"DATA/subnet.env",
         "dataDir":"DATA/flannel","ipam":{"dataDir":"DATA/networks"},
         "delegate":{"bridge":"br0","isDefaultGateway":true}})"},
    {"macvlan",
     R"({"cniVersion":"1.1.0","name":"n","type":"macvlan","master":"up0",
         "ipam":{"type":"host-local","dataDir":"DATA/networks",
         "ranges":[[{"subnet":"10.1.2.0/29"}]]}})"},
    {"weft-chain",
     R"({"cniVersion":"1.1.0","name":"n","type":"weft-chain","capabilities":{"portMappings":true},
         "runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"udp"}]},
         "plugins":[{"type":"ptp","ipMasq":true,"ipam":{"type":"host-local",
         "dataDir":"DATA/networks","ranges":[[{"subnet":"10.1.2.0/29"}]]}},
         {"type":"portmap","capabilities":{"portMappings":true}},
         {"type":"firewall","backend":"iptables"},
         {"type":"bandwidth","ingressRate":8000000,"ingressBurst":8000000,
         "egressRate":4000000,"egressBurst":4000000},
         {"type":"tuning","dataDir":"DATA/tuning","mtu":1400}]})"},
    {"host-device",
     R"({"cniVersion":"1.1.0","name":"n","type":"host-device","device":"spare",
         "ipam":{"type":"host-local","dataDir":"DATA/networks",
         "ranges":[[{"subnet":"10.1.2.0/29"}]]}})"},
};
// One device is for one container: nobody else may have it meanwhile.
const std::span kForMany(kSetups, std::size(kSetups) - 1);

std::string with_data(std::string text, const std::string& folder) {
  for (auto at = text.find("DATA"); at != std::string::npos; at = text.find("DATA"))
    text.replace(at, 4, folder);
  return text;
}

// Names below the folder that say that somebody holds something.
std::string holdings(const std::string& data) {
  std::string held;
  for (const auto& name : must(list_directory(data + "/networks/n")))
    if (IpAddress::parse(name)) held += name + " ";
  for (const char* folder : {"/flannel", "/tuning", "/tuning/.weft/n"})
    for (const auto& name : must(list_directory(data + folder)))
      if (name != ".weft") held += name + " ";
  return held;
}

// Without bridges, which stay for the next container.
std::set<std::string> devices(kernel::Rtnetlink& host) {
  std::set<std::string> names;
  for (const auto& link : must(host.links()))
    if (link.kind != "bridge") names.insert(link.name);
  return names;
}

std::set<std::string> lines_of_ruleset() {
  const auto outcome = must(run({.argv = {"nft", "--stateless", "list", "ruleset"}}));
  const auto lines = split(outcome.output, '\n');
  return {lines.begin(), lines.end()};
}

class CniCrash : public testing::TestWithParam<Setup> {
 protected:
  /// A host with a link "up0" whose other end is "spare", a folder with what flannel has written,
  /// the configuration, and one container.
  template <class Body>
  void in_fresh_world(Body body) {
    test::in_fresh_netns([&](kernel::Rtnetlink& host) {
      const TempDir data;
      must(write_file_atomically(data.path() + "/subnet.env",
                                 "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.2.1/29\n"
                                 "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n",
                                 0644, Survives::kProcess));
      must(host.create(
          {.name = "up0", .kind = "veth", .up = true, .peer = kernel::VethPeer{.name = "spare"}}));
      body(host, Container("c1"), with_data(GetParam().config, data.path()), data.path());
    });
  }

  /// Calls `check` in a fresh world for each writing call of `command` that was never made, until
  /// there are no more. `prepared`: an ADD went before.
  template <class Check>
  void at_every_write(const char* command, bool prepared, Check check) {
    for (unsigned n = 0; n < kMostWrites; ++n) {
      bool killed = false;
      in_fresh_world([&](kernel::Rtnetlink& host, const Container& container,
                         const std::string& config, const std::string& data) {
        if (prepared) {
          const auto added = plugins_.call(GetParam().plugin, "ADD", container.port(), config);
          ASSERT_TRUE(added.ok()) << added.output;
        }
        killed = test::run_until_write({plugins_.path() + "/" + GetParam().plugin},
                                       plugins_.variables(command, container.port()), config, n);
        SCOPED_TRACE("killed before write " + std::to_string(n));
        check(host, container, config, data);
      });
      if (!killed || HasFatalFailure()) {
        EXPECT_GT(n, 5U) << "too few writes to be true";
        return;
      }
    }
    FAIL() << "it never ended";
  }

  /// What a container leaves that comes and goes as it should.
  std::set<std::string> usual_rules() {
    std::set<std::string> rules;
    in_fresh_world([&](kernel::Rtnetlink&, const Container& container, const std::string& config,
                       const std::string&) {
      for (const char* command : {"ADD", "DEL"})
        EXPECT_TRUE(plugins_.call(GetParam().plugin, command, container.port(), config).ok());
      rules = lines_of_ruleset();
    });
    return rules;
  }
  /// Nothing is left of a container after its DEL.
  void expect_nothing_left(kernel::Rtnetlink& host, const std::string& data,
                           const std::set<std::string>& usual) {
    EXPECT_EQ(holdings(data), "");
    EXPECT_EQ(devices(host), (std::set<std::string>{"lo", "spare", "up0"}));
    for (const auto& line : lines_of_ruleset())
      EXPECT_TRUE(usual.contains(line)) << "left over: " << line;
  }

  WeftPlugins links_;
  PluginFolder plugins_ = links_.folder();
};

TEST_P(CniCrash, AnAddThatIsKilledLeavesNothingBehindAfterDel) {
  const auto usual = usual_rules();
  at_every_write(
      "ADD", false,
      [&](kernel::Rtnetlink& host, const Container& container, const std::string& config,
          const std::string& data) {
        const auto deleted = plugins_.call(GetParam().plugin, "DEL", container.port(), config);
        EXPECT_TRUE(deleted.ok()) << deleted.output;
        expect_nothing_left(host, data, usual);
        const auto added = plugins_.call(GetParam().plugin, "ADD", container.port(), config);
        EXPECT_TRUE(added.ok()) << added.output;
      });
}

TEST_P(CniCrash, ADelThatIsKilledIsFinishedByTheNext) {
  const auto usual = usual_rules();
  at_every_write("DEL", true,
                 [&](kernel::Rtnetlink& host, const Container& container, const std::string& config,
                     const std::string& data) {
                   const auto deleted =
                       plugins_.call(GetParam().plugin, "DEL", container.port(), config);
                   EXPECT_TRUE(deleted.ok()) << deleted.output;
                   expect_nothing_left(host, data, usual);
                 });
}

class CniCrashBesideAnother : public CniCrash {};

TEST_P(CniCrashBesideAnother, NoAddressIsGivenOutTwiceAfterAKilledAdd) {
  at_every_write("ADD", false,
                 [&](kernel::Rtnetlink&, const Container&, const std::string& config,
                     const std::string& data) {
                   const std::string held = holdings(data);
                   const Container other("c2");
                   const auto added = plugins_.call(GetParam().plugin, "ADD", other.port(), config);
                   ASSERT_TRUE(added.ok()) << added.output;
                   for (const auto& ip : added.json["ips"]) {
                     std::string address = ip["address"];
                     address.resize(address.find('/'));
                     // What the killed one had written down stays its own, unless it died between
                     // making the file and filling it: then nobody has the address.
                     if (held.find(address + " ") == std::string::npos) continue;
                     EXPECT_EQ(must(read_file(data + "/networks/n/" + address)), "c2\r\neth0");
                   }
                 });
}

std::string name_of(const testing::TestParamInfo<Setup>& tested) {
  std::string name = tested.param.plugin;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cni, CniCrash, testing::ValuesIn(kSetups), name_of);
INSTANTIATE_TEST_SUITE_P(Cni, CniCrashBesideAnother,
                         testing::ValuesIn(kForMany.begin(), kForMany.end()), name_of);

}  // namespace
}  // namespace weft
