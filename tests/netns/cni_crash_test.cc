// A plugin killed at the worst moment: at each of its system calls that change something. The
// next DEL and ADD then finish, nothing is left over, and no address is given out twice.
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
};

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
  for (const auto& name : must(list_directory(data + "/flannel"))) held += name + " ";
  return held;
}

std::string veths(kernel::Rtnetlink& host) {
  std::string names;
  for (const auto& link : must(host.links()))
    if (link.kind == "veth") names += link.name + " ";
  return names;
}

std::string masquerade_rules() {
  const auto outcome = must(run({.argv = {"nft", "list", "ruleset"}}));
  std::string found;
  for (const auto& line : split(outcome.output, '\n'))
    if (line.find("masquerade comment") != std::string::npos) found += line + "\n";
  return found;
}

class CniCrash : public testing::TestWithParam<Setup> {
 protected:
  /// Calls `body(n)` for each writing call of `command` in a fresh world, until there are no
  /// more. `prepared`: an ADD went before.
  template <class Check>
  void at_every_write(const char* command, bool prepared, Check check) {
    for (unsigned n = 0; n < kMostWrites; ++n) {
      bool killed = false;
      test::in_fresh_netns([&](kernel::Rtnetlink& host) {
        const TempDir data;
        must(write_file_atomically(data.path() + "/subnet.env",
                                   "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.2.1/29\n"
                                   "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n",
                                   0644, Survives::kProcess));
        const std::string config = with_data(GetParam().config, data.path());
        const Container container("c1");
        if (prepared) {
          const auto added = plugins_.call(GetParam().plugin, "ADD", container.port(), config);
          ASSERT_TRUE(added.ok()) << added.output;
        }
        killed = test::run_until_write({plugins_.path() + "/" + GetParam().plugin},
                                       plugins_.variables(command, container.port()), config, n);
        SCOPED_TRACE("killed before write " + std::to_string(n));
        check(host, container, config, data.path());
      });
      if (!killed || HasFatalFailure()) {
        EXPECT_GT(n, 5U) << "too few writes to be true";
        return;
      }
    }
    FAIL() << "it never ended";
  }

  WeftPlugins links_;
  PluginFolder plugins_ = links_.folder();
};

TEST_P(CniCrash, AnAddThatIsKilledLeavesNothingBehindAfterDel) {
  at_every_write(
      "ADD", false,
      [&](kernel::Rtnetlink& host, const Container& container, const std::string& config,
          const std::string& data) {
        const auto deleted = plugins_.call(GetParam().plugin, "DEL", container.port(), config);
        EXPECT_TRUE(deleted.ok()) << deleted.output;
        EXPECT_EQ(holdings(data), "");
        EXPECT_EQ(veths(host), "");
        EXPECT_EQ(masquerade_rules(), "");
        const auto added = plugins_.call(GetParam().plugin, "ADD", container.port(), config);
        EXPECT_TRUE(added.ok()) << added.output;
      });
}

TEST_P(CniCrash, ADelThatIsKilledIsFinishedByTheNext) {
  at_every_write("DEL", true,
                 [&](kernel::Rtnetlink& host, const Container& container, const std::string& config,
                     const std::string& data) {
                   const auto deleted =
                       plugins_.call(GetParam().plugin, "DEL", container.port(), config);
                   EXPECT_TRUE(deleted.ok()) << deleted.output;
                   EXPECT_EQ(holdings(data), "");
                   EXPECT_EQ(veths(host), "");
                   EXPECT_EQ(masquerade_rules(), "");
                 });
}

TEST_P(CniCrash, NoAddressIsGivenOutTwiceAfterAKilledAdd) {
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

INSTANTIATE_TEST_SUITE_P(Cni, CniCrash, testing::ValuesIn(kSetups),
                         [](const testing::TestParamInfo<Setup>& tested) {
                           return std::string(tested.param.plugin);
                         });

}  // namespace
}  // namespace weft
