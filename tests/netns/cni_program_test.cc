// weft-cni as a program: its names, its words, and delegates that are somebody else's.
#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/files.h"
#include "support/cni_container.h"
#include "support/eventually.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

PluginReply run_weft_cni(std::vector<std::string> words, std::vector<std::string> variables,
                         const std::string& input = {}) {
  words.insert(words.begin(), WEFT_CNI);
  const auto outcome =
      must(run({.argv = std::move(words), .input = input, .environment = std::move(variables)}));
  PluginReply reply{
      .exit_code = outcome.exit_code, .output = outcome.output, .errors = outcome.errors};
  if (auto json = parse_json(reply.output)) reply.json = *std::move(json);
  return reply;
}

TEST(CniProgram, IsThePluginThatItsFirstWordNames) {
  const PluginReply reply = run_weft_cni({"loopback"}, {"CNI_COMMAND=VERSION"});
  EXPECT_EQ(reply.json["cniVersion"], "1.1.0");
}

TEST(CniProgram, UnderAnUnknownNameItAnswersTheRuntimeInJson) {
  const PluginReply reply = run_weft_cni({}, {"CNI_COMMAND=ADD"});
  EXPECT_EQ(reply.exit_code, 1);
  EXPECT_EQ(reply.code(), 999);
}

TEST(CniProgram, WithoutACommandItTellsAboutItself) {
  const PluginReply reply = run_weft_cni({"bridge"}, {});
  EXPECT_EQ(reply.exit_code, 0);
  EXPECT_EQ(reply.output, "");
  EXPECT_NE(reply.errors.find("CNI protocol versions supported: 0.1.0, 0.2.0"), std::string::npos);
}

TEST(CniProgram, AnExhaustedPoolSaysWhoHoldsIt) {
  const WeftPlugins weft;
  const TempDir data;
  const std::string config =
      R"({"cniVersion":"1.1.0","name":"n","ipam":{"type":"host-local","dataDir":")" + data.path() +
      R"(","subnet":"10.1.2.0/30"}})";
  const auto call = [&](const char* command, const char* id) {
    return weft.folder().call("host-local", command, {.id = id, .netns = "/none"}, config);
  };
  const PluginReply first = call("ADD", "c1");
  ASSERT_TRUE(first.ok()) << first.output;
  const PluginReply second = call("ADD", "c2");
  EXPECT_NE(second.message().find("failed to allocate for range 0: no IP addresses available in "
                                  "range set: 10.1.2.1-10.1.2.2"),
            std::string::npos)
      << second.output;
  EXPECT_NE(second.message().find("1 are held, the longest by c1 (eth0) since 20"),
            std::string::npos)
      << second.output;
  EXPECT_TRUE(call("STATUS", "c2").ok());
  ASSERT_TRUE(call("DEL", "c1").ok());
  EXPECT_TRUE(call("ADD", "c2").ok());
}

constexpr const char* kForeignIpam = R"({"cniVersion":"1.0.0","name":"n","type":"bridge",
    "bridge":"br0","ipam":{"type":"foreign"}})";

// An IPAM plugin of somebody else's, as a script.
class CniForeignIpam : public testing::Test {
 protected:
  void write_plugin(const std::string& body) {
    must(write_file_atomically(weft_.folder().path() + "/foreign", "#!/bin/sh\n" + body, 0755,
                               Survives::kProcess));
  }
  PluginReply add(const Container& container) {
    return weft_.folder().call("bridge", "ADD", container.port(), kForeignIpam);
  }

  WeftPlugins weft_;
  TempDir data_;
};

TEST_F(CniForeignIpam, IsRunAndItsOldResultUnderstood) {
  write_plugin("cat >" + data_.path() + "/stdin-$CNI_COMMAND\n" +
               R"(echo '{"cniVersion":"0.2.0","ip4":{"ip":"10.7.0.5/24","gateway":"10.7.0.1"}}')");
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const PluginReply added = add(container);
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["ips"][0]["address"], "10.7.0.5/24");
    EXPECT_EQ(must(read_file(data_.path() + "/stdin-ADD")), kForeignIpam);
    EXPECT_TRUE(weft_.folder().call("bridge", "DEL", container.port(), kForeignIpam).ok());
    EXPECT_TRUE(read_file(data_.path() + "/stdin-DEL"));
  });
}

TEST_F(CniForeignIpam, ItsErrorIsHandedOn) {
  write_plugin(R"(echo '{"code":123,"msg":"no more","details":"at all"}'; exit 1)");
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const PluginReply added = add(Container("c1"));
    EXPECT_EQ(added.code(), 123);
    EXPECT_EQ(added.message(), "no more");
    EXPECT_EQ(added.details(), "at all");
    EXPECT_EQ(must(host.links()).size(), 2U);  // lo and the bridge
  });
}

TEST_F(CniForeignIpam, NonsenseIsRefused) {
  write_plugin("echo nonsense; exit 3");
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const PluginReply added = add(Container("c1"));
    EXPECT_NE(added.message().find("netplugin failed: \"nonsense\""), std::string::npos)
        << added.output;
  });
}

// The runtime gave up on the container while its addresses were asked for. Its namespace lives
// until nobody works in it any more, and takes the pair along.
TEST_F(CniForeignIpam, ANamespaceThatGoesMeanwhileLeavesNothing) {
  write_plugin(
      "cat >/dev/null\n"
      "[ \"$CNI_COMMAND\" = ADD ] && umount -l \"$CNI_NETNS\" && rm \"$CNI_NETNS\"\n"
      R"(echo '{"cniVersion":"1.0.0","ips":[{"address":"10.7.0.5/24"}]}')");
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const std::string path = data_.path() + "/netns";
    must(must(kernel::Netns::create()).pin(path));
    const ContainerPort port{.id = "c1", .netns = path, .ifname = "eth0"};
    (void)weft_.folder().call("bridge", "ADD", port, kForeignIpam);
    EXPECT_FALSE(std::filesystem::exists(path));
    const ContainerPort gone{.id = "c1", .netns = "", .ifname = "eth0"};
    const PluginReply deleted = weft_.folder().call("bridge", "DEL", gone, kForeignIpam);
    EXPECT_TRUE(deleted.ok()) << deleted.output;
    // lo and the bridge
    EXPECT_TRUE(test::eventually([&] { return must(host.links()).size() == 2; }));
  });
}

}  // namespace
}  // namespace weft
