// weft-cni install and list.
#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "base/process.h"
#include "support/crashing_process.h"
#include "support/must.h"
#include "support/temp_dir.h"

namespace weft {
namespace {

using test::must;
using test::TempDir;

constexpr const char* kSubnetEnv =
    "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.2.1/24\nFLANNEL_MTU=1450\n"
    "FLANNEL_IPMASQ=false\n";

Outcome weft_cni(std::vector<std::string> words) {
  words.insert(words.begin(), WEFT_CNI);
  return must(run({.argv = std::move(words), .environment = std::vector<std::string>{}}));
}

class CniInstall : public testing::Test {
 protected:
  CniInstall() {
    write(list_, R"({"name":"cbr0","cniVersion":"1.0.0","plugins":[
        {"type":"flannel","subnetFile":")" +
                     subnet_env_ + R"("},
        {"type":"bridge","capabilities":{"mac":true}}]})");
  }
  static void write(const std::string& path, const std::string& text) {
    must(write_file_atomically(path, text, 0644, Survives::kProcess));
  }
  Outcome install(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"install", "--bin-dir", bin_});
    return weft_cni(std::move(more));
  }
  std::vector<std::string> with_list(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"--conf-dir", conf_, "--list", list_});
    return more;
  }
  std::string link(const std::string& name) const {
    char text[256];
    const ssize_t length = ::readlink((bin_ + "/" + name).c_str(), text, sizeof text);
    return length < 0 ? "" : std::string(text, static_cast<std::size_t>(length));
  }
  Result<std::string> installed_list() const { return read_file(conf_ + "/10-flannel.conflist"); }

  TempDir folder_;
  const std::string bin_ = folder_.path() + "/bin";
  const std::string conf_ = folder_.path() + "/net.d";
  const std::string list_ = folder_.path() + "/list";
  const std::string subnet_env_ = folder_.path() + "/run/subnet.env";
};

TEST_F(CniInstall, PutsTheFileAndOneLinkAPluginInPlace) {
  must(make_directories(bin_));
  write(bin_ + "/bridge", "another program");
  write(bin_ + "/cilium-cni", "not ours");
  const Outcome installed = install();
  EXPECT_EQ(installed.exit_code, 0) << installed.output;
  EXPECT_NE(installed.output.find("bridge instead of another program's"), std::string::npos);
  EXPECT_EQ(must(read_file(bin_ + "/weft-cni", 64U << 20U)), must(read_file(WEFT_CNI, 64U << 20U)));
  for (const char* name : {"bridge", "flannel", "host-local", "loopback", "weft-chain"})
    EXPECT_EQ(link(name), "weft-cni") << name;
  EXPECT_EQ(must(read_file(bin_ + "/cilium-cni")), "not ours");
  const Outcome version = must(
      run({.argv = {bin_ + "/bridge"},
           .environment = std::vector<std::string>{"CNI_COMMAND=VERSION", "CNI_PATH=" + bin_}}));
  EXPECT_EQ(version.exit_code, 0) << version.output;
  const Outcome again = install();
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.output.find('+'), std::string::npos) << again.output;  // nothing was done
}

TEST_F(CniInstall, GoesOnAfterAPluginThatCannotBeReplaced) {
  must(make_directories(bin_ + "/bridge"));
  const Outcome installed = install(with_list());
  EXPECT_EQ(installed.exit_code, 1);
  EXPECT_NE(installed.output.find("replacing " + bin_ + "/bridge"), std::string::npos)
      << installed.output;
  EXPECT_EQ(link("loopback"), "weft-cni");
  EXPECT_FALSE(installed_list());
}

TEST_F(CniInstall, WritesTheListOnlyWhenTheAgentIsReady) {
  const Outcome early = install(with_list());
  EXPECT_EQ(early.exit_code, 1);
  EXPECT_NE(early.output.find("the agent has never run on this node"), std::string::npos)
      << early.output;
  EXPECT_EQ(link("bridge"), "weft-cni");
  EXPECT_FALSE(installed_list());
  must(make_directories(folder_.path() + "/run"));
  write(subnet_env_, kSubnetEnv);
  EXPECT_EQ(install(with_list()).exit_code, 0);
  const Json list = must(parse_json(must(installed_list())));
  EXPECT_EQ(list["plugins"].size(), 1U);
  EXPECT_EQ(list["plugins"][0]["type"], "weft-chain");
  EXPECT_EQ(list["plugins"][0]["capabilities"]["mac"], true);
  EXPECT_EQ(list["plugins"][0]["plugins"].size(), 2U);
}

TEST_F(CniInstall, WaitsForTheAgent) {
  auto waiting = std::async(std::launch::async, [&] { return install(with_list({"--wait=60"})); });
  while (link("weft-chain").empty()) std::this_thread::yield();
  EXPECT_FALSE(installed_list());
  must(make_directories(folder_.path() + "/run"));
  write(subnet_env_, kSubnetEnv);
  EXPECT_EQ(waiting.get().exit_code, 0);
  EXPECT_TRUE(installed_list());
}

TEST_F(CniInstall, WritesTheOrdinaryListWhereThatIsAskedFor) {
  must(make_directories(folder_.path() + "/run"));
  write(subnet_env_, kSubnetEnv);
  EXPECT_EQ(install(with_list({"--ordinary"})).exit_code, 0);
  EXPECT_EQ(must(parse_json(must(installed_list()))), must(parse_json(must(read_file(list_)))));
}

TEST_F(CniInstall, RefusesAListWhosePluginsAreNotThere) {
  write(list_, R"({"name":"n","cniVersion":"1.0.0","plugins":[{"type":"bridge"},{"type":"x"}]})");
  const Outcome installed = install(with_list());
  EXPECT_EQ(installed.exit_code, 1);
  EXPECT_NE(installed.output.find("it needs the plugin \"x\""), std::string::npos);
  EXPECT_FALSE(installed_list());
}

TEST_F(CniInstall, SaysThatAnotherListComesFirst) {
  write(list_, R"({"name":"n","cniVersion":"1.0.0","plugins":[{"type":"bridge"}]})");
  must(make_directories(conf_));
  write(conf_ + "/05-other.conflist", "{}");
  write(conf_ + "/99-other.conflist", "{}");
  const Outcome installed = install(with_list());
  EXPECT_EQ(installed.exit_code, 0);
  EXPECT_NE(installed.output.find("05-other.conflist comes first"), std::string::npos);
  EXPECT_EQ(installed.output.find("99-other"), std::string::npos);
}

// Whenever it is killed: a name stands for a whole program, the old one or ours, and the list is
// there only with every plugin in place.
TEST_F(CniInstall, AKillLeavesEachFileWhole) {
  write(list_, R"({"name":"n","cniVersion":"1.0.0","plugins":[{"type":"bridge"}]})");
  for (unsigned n = 0; n < 200; ++n) {
    must(remove_tree(bin_));
    must(remove_tree(conf_));
    must(make_directories(bin_));
    write(bin_ + "/bridge", "another program");
    std::vector<std::string> words = {WEFT_CNI, "install", "--bin-dir", bin_};
    for (const auto& word : with_list()) words.push_back(word);
    const bool killed = test::run_until_write(words, {}, "", n);
    const std::string bridge = must(read_file(bin_ + "/bridge", 64U << 20U));
    EXPECT_TRUE(bridge == "another program" || bridge.size() > 100'000) << n;
    if (installed_list()) {
      EXPECT_EQ(link("weft-chain"), "weft-cni");
      EXPECT_TRUE(parse_json(must(installed_list())));
    }
    if (!killed) {
      EXPECT_GT(n, 10U);
      return;
    }
  }
  FAIL() << "it never ended";
}

TEST(CniCommand, WrongUsageNamesTheRightWordAndExitsWithTwo) {
  struct {
    std::vector<std::string> words;
    const char* said;
  } const cases[] = {
      {{"instal"}, "did you mean install?"},
      {{"install", "--bindir", "x"}, "did you mean --bin-dir?"},
      {{"install", "--bin-dir"}, "--bin-dir needs a value"},
      {{"install", "--bin-dir="}, "--bin-dir is empty"},
      {{"install", "--ordinary=yes"}, "--ordinary takes no value"},
      {{"install", "--wait", "soon"}, "--wait is a number of seconds"},
      {{"install", "--conf-name", "a/b"}, "without a slash"},
      {{"list", "-o", "xml"}, "there are text, names and json"},
  };
  for (const auto& c : cases) {
    const Outcome outcome = weft_cni(c.words);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_NE(outcome.errors.find(c.said), std::string::npos) << outcome.errors;
    EXPECT_EQ(outcome.output, "");
  }
}

TEST(CniCommand, ListsNameKindAndVersions) {
  const Outcome outcome = weft_cni({"list", "-o", "json"});
  const Json list = must(parse_json(outcome.output));
  EXPECT_EQ(list["version"], WEFT_VERSION);
  std::map<std::string, std::string> kinds;
  for (const auto& plugin : list["plugins"]) {
    kinds[plugin["name"]] = plugin["kind"];
    EXPECT_EQ(plugin["versions"].back(), "1.1.0");
  }
  EXPECT_EQ(kinds["bridge"], "main");
  EXPECT_EQ(kinds["host-local"], "ipam");
  EXPECT_EQ(kinds["weft-chain"], "meta");
}

TEST(CniCommand, HelpBeginsWithExamples) {
  EXPECT_TRUE(weft_cni({"--help"}).output.starts_with("Examples:\n"));
  EXPECT_TRUE(weft_cni({"install", "-h"}).output.starts_with("Examples:\n"));
}

}  // namespace
}  // namespace weft
