// weft-chain: several plugins in one, ours and others'.
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"
#include "support/cni_container.h"

namespace weft {
namespace {

using test::Container;
using test::must;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

class CniChain : public testing::Test {
 protected:
  /// Somebody else's plugin: notes each call with its configuration, and hands prevResult on.
  void write_foreign(const std::string& name, const std::string& more = {}) {
    must(write_file_atomically(
        weft_.folder().path() + "/" + name,
        "#!/bin/sh\nconfig=$(cat)\necho \"$config\" >" + data_.path() + "/" + name +
            "-$CNI_COMMAND\necho " + name + " $CNI_COMMAND >>" + data_.path() + "/calls\n" + more +
            "\n[ $CNI_COMMAND != ADD ] || "
            R"(echo '{"cniVersion":"1.1.0","ips":[{"address":"10.9.0.5/24"}]}')",
        0755, Survives::kProcess));
  }
  PluginReply call(const std::string& command, const std::string& members, const Container& pod,
                   const std::string& more = {}) {
    return weft_.folder().call("weft-chain", command, pod.port(),
                               R"({"cniVersion":"1.1.0","name":"n","type":"weft-chain",)" + more +
                                   R"("plugins":[)" + members + "]}");
  }
  std::string bridge() const {
    return R"({"type":"bridge","bridge":"br0","isGateway":true,"ipam":{"type":"host-local",
        "dataDir":")" +
           data_.path() + R"(","subnet":"10.1.2.0/24"}})";
  }
  std::string calls() const { return read_file(data_.path() + "/calls").value_or(""); }
  Json given(const std::string& name, const std::string& command) const {
    return must(parse_json(must(read_file(data_.path() + "/" + name + "-" + command))));
  }
  std::size_t addresses_held() const {
    std::size_t count = 0;
    for (const auto& name : must(list_directory(data_.path() + "/n")))
      if (IpAddress::parse(name)) ++count;
    return count;
  }

  WeftPlugins weft_;
  TempDir data_;
};

TEST_F(CniChain, MembersSeeEachOthersResultsAndTheLastOneIsTheAnswer) {
  write_foreign("one");
  write_foreign("two");
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container pod("c1");
    const std::string members =
        bridge() + R"(,{"type":"one"},{"type":"two","capabilities":{"mac":true}})";
    const std::string runtime = R"("runtimeConfig":{"mac":"02:00:00:00:00:07","ips":["x"]},)";
    const PluginReply added = call("ADD", members, pod, runtime);
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["ips"][0]["address"], "10.9.0.5/24");
    EXPECT_EQ(given("one", "ADD")["prevResult"]["ips"][0]["address"], "10.1.2.2/24");
    EXPECT_EQ(given("two", "ADD")["prevResult"]["ips"][0]["address"], "10.9.0.5/24");
    EXPECT_FALSE(given("one", "ADD").contains("runtimeConfig"));
    EXPECT_EQ(given("two", "ADD")["runtimeConfig"],
              must(parse_json(R"({"mac":"02:00:00:00:00:07"})")));
    const std::string result = R"("prevResult":)" + added.output + ",";
    EXPECT_TRUE(call("DEL", members, pod, result).ok());
    EXPECT_EQ(given("two", "DEL")["prevResult"]["ips"][0]["address"], "10.9.0.5/24");
    EXPECT_EQ(calls(), "one ADD\ntwo ADD\ntwo DEL\none DEL\n");
    EXPECT_EQ(addresses_held(), 0U);
  });
}

TEST_F(CniChain, CheckGoesForwardsWithTheFinalResult) {
  write_foreign("one");
  write_foreign("two", "[ $CNI_COMMAND != CHECK ] || { echo gone; exit 1; }");
  write_foreign("three");
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const PluginReply checked = call("CHECK", R"({"type":"one"},{"type":"two"},{"type":"three"})",
                                     Container("c1"), R"("prevResult":{"dns":{"domain":"d"}},)");
    EXPECT_NE(checked.message().find("plugin type=\"two\" failed"), std::string::npos)
        << checked.output;
    EXPECT_EQ(given("one", "CHECK")["prevResult"]["dns"]["domain"], "d");
    EXPECT_EQ(calls(), "one CHECK\ntwo CHECK\n");
  });
}

TEST_F(CniChain, AFailedAddTakesTheEarlierMembersBack) {
  write_foreign("one");
  write_foreign("two", R"([ $CNI_COMMAND != ADD ] || { echo '{"code":120,"msg":"no"}'; exit 1; })");
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const PluginReply added = call(
        "ADD", bridge() + R"(,{"type":"one"},{"type":"two"},{"type":"three"})", Container("c1"));
    EXPECT_EQ(added.code(), 120);
    EXPECT_EQ(added.message(), "plugin type=\"two\" failed: no");
    EXPECT_EQ(calls(), "one ADD\ntwo ADD\ntwo DEL\none DEL\n");
    EXPECT_EQ(addresses_held(), 0U);
    EXPECT_EQ(must(host.links()).size(), 2U);  // lo and the bridge
  });
}

TEST_F(CniChain, ADelThatFailsInTheMiddleStillReleasesTheRest) {
  write_foreign("one", R"([ $CNI_COMMAND != DEL ] || { echo '{"code":120,"msg":"no"}'; exit 1; })");
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container pod("c1");
    const std::string members = bridge() + R"(,{"type":"one"})";
    ASSERT_TRUE(call("ADD", members, pod).ok());
    EXPECT_EQ(addresses_held(), 1U);
    const PluginReply deleted = call("DEL", members + R"(,{"type":"not-there"})", pod);
    EXPECT_FALSE(deleted.ok());
    EXPECT_NE(deleted.message().find("plugin type=\"one\" failed: no"), std::string::npos);
    EXPECT_NE(deleted.message().find("not-there"), std::string::npos) << deleted.output;
    EXPECT_EQ(addresses_held(), 0U);
  });
}

TEST_F(CniChain, StatusAndGcAskEveryMember) {
  write_foreign("one");
  write_foreign("two",
                R"([ $CNI_COMMAND != STATUS ] || { echo '{"code":50,"msg":"no"}'; exit 1; })");
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container pod("c1");
    const std::string members = bridge() + R"(,{"type":"one"},{"type":"two"})";
    EXPECT_EQ(call("STATUS", members, pod).code(), 50);
    EXPECT_TRUE(call("STATUS", bridge() + R"(,{"type":"one"})", pod).ok());
    ASSERT_TRUE(call("ADD", members, pod).ok());
    EXPECT_TRUE(call("GC", members, pod,
                     R"("cni.dev/valid-attachments":[{"containerID":"c1","ifname":"eth0"}],)")
                    .ok());
    EXPECT_EQ(addresses_held(), 1U);
    EXPECT_TRUE(call("GC", members, pod, R"("cni.dev/valid-attachments":[],)").ok());
    EXPECT_EQ(addresses_held(), 0U);
    EXPECT_TRUE(given("two", "GC").contains("cni.dev/valid-attachments"));
  });
}

}  // namespace
}  // namespace weft
