// host-local of both sides on one folder: a node changes sides, in either direction, with
// containers running.
#include <set>

#include <gtest/gtest.h>

#include "base/files.h"
#include "net/address.h"
#include "support/cni_plugins.h"
#include "support/must.h"

namespace weft {
namespace {

using test::must;
using test::PluginFolder;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

constexpr const char* kDebianPlugins = "/usr/lib/cni";

class CniPeerHostLocal : public testing::Test {
 protected:
  PluginReply call(const PluginFolder& side, const char* command, const std::string& id) const {
    return side.call("host-local", command, {.id = id, .netns = "/none"}, config_);
  }
  std::string file(const std::string& name) const { return data_.path() + "/n/" + name; }
  /// Names and contents, our index aside.
  std::string files() const {
    std::string text;
    for (const auto& name : must(list_directory(data_.path() + "/n"))) {
      if (name.starts_with(".weft")) continue;
      text += name + " " + must(read_file(file(name))) + "\n";
    }
    return text;
  }

  TempDir data_;
  WeftPlugins links_;
  const PluginFolder ours_ = links_.folder();
  const PluginFolder theirs_{kDebianPlugins};
  const std::string config_ =
      R"({"cniVersion":"1.0.0","name":"n","ipam":{"type":"host-local","dataDir":")" + data_.path() +
      R"(","ranges":[[{"subnet":"10.1.0.0/16"}],[{"subnet":"fd00:1::/64"}]]}})";
};

TEST_F(CniPeerHostLocal, TheFilesAreTheSame) {
  std::string expected;
  for (const auto* side : {&theirs_, &ours_}) {
    ASSERT_TRUE(call(*side, "ADD", "c1").ok());
    ASSERT_TRUE(call(*side, "ADD", "c2").ok());
    ASSERT_TRUE(call(*side, "DEL", "c1").ok());
    if (expected.empty()) expected = files();
    EXPECT_EQ(files(), expected);
    must(remove_tree(data_.path() + "/n"));
  }
}

TEST_F(CniPeerHostLocal, BothSidesInTurnsGiveNothingOutTwiceAndLoseNothing) {
  std::set<std::string> addresses;
  constexpr int kContainers = 60;
  const auto side = [&](int i) -> const PluginFolder& { return i % 3 == 0 ? theirs_ : ours_; };
  for (int i = 0; i < kContainers; ++i) {
    const PluginReply added = call(side(i), "ADD", "c" + std::to_string(i));
    ASSERT_TRUE(added.ok()) << added.output;
    for (const auto& ip : added.json["ips"])
      EXPECT_TRUE(addresses.insert(ip["address"]).second) << added.output;
    // Each side refuses what the other has given.
    EXPECT_FALSE(call(side(i + 1), "ADD", "c" + std::to_string(i)).ok());
  }
  for (int i = 0; i < kContainers; ++i) {
    EXPECT_TRUE(call(side(i + 1), "CHECK", "c" + std::to_string(i)).ok());
    EXPECT_TRUE(call(side(i + 1), "DEL", "c" + std::to_string(i)).ok());
  }
  for (const auto& name : must(list_directory(data_.path() + "/n")))
    EXPECT_FALSE(IpAddress::parse(name)) << name;
}

}  // namespace
}  // namespace weft
