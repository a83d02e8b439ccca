// host-local as a program: crashes and failures at every write, full disks, reboots.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/files.h"
#include "net/address.h"
#include "support/cni_plugins.h"
#include "support/crashing_process.h"
#include "support/must.h"

namespace weft {
namespace {

using test::must;
using test::PluginReply;
using test::Spoil;
using test::TempDir;

constexpr unsigned kMostWrites = 60;
// A /29 has six hosts, one of them the gateway.
constexpr std::size_t kPool = 5;

class HostLocal {
 public:
  explicit HostLocal(std::string data, const std::string& more = {})
      : data_(std::move(data)),
        config_(R"({"cniVersion":"1.1.0","name":"n","ipam":{"type":"host-local",)" + more +
                R"("dataDir":")" + data_ + R"(","ranges":[[{"subnet":"10.1.2.0/29"}]]}})") {}

  PluginReply call(const char* command, const std::string& id) const {
    return plugins_.call("host-local", command, port(id), config_);
  }
  bool spoil(const char* command, const std::string& id, unsigned n, Spoil how) const {
    return test::run_until_write({plugins_.path() + "/host-local"},
                                 plugins_.variables(command, port(id)), config_, n, how);
  }
  PluginReply collect(const std::string& valid) const {
    std::string config = config_;
    config.insert(1, R"("cni.dev/valid-attachments":[)" + valid + "],");
    return plugins_.call("host-local", "GC", {}, config);
  }
  std::string file(const std::string& name) const { return data_ + "/n/" + name; }
  /// Addresses and the bodies of their files.
  std::map<std::string, std::string> held() const {
    std::map<std::string, std::string> result;
    for (const auto& name : must(list_directory(data_ + "/n")))
      if (IpAddress::parse(name)) result[name] = must(read_file(file(name)));
    return result;
  }
  /// Gives out what is left, one container after the other; how many there were.
  std::size_t fill() const {
    std::set<std::string> addresses;
    for (std::size_t i = 0; i <= kPool; ++i) {
      const PluginReply added = call("ADD", "filler" + std::to_string(i));
      if (!added.ok()) break;
      EXPECT_TRUE(addresses.insert(added.json["ips"][0]["address"]).second) << added.output;
    }
    return addresses.size();
  }

 private:
  static test::ContainerPort port(const std::string& id) { return {.id = id, .netns = "/none"}; }

  std::string data_;
  std::string config_;
  test::WeftPlugins links_;
  test::PluginFolder plugins_ = links_.folder();
};

class CniHostLocalCrash : public testing::TestWithParam<Spoil> {
 protected:
  /// Calls `check` after the n-th write of a command was spoilt, for every n.
  template <class Prepare, class Check>
  void at_every_write(const char* command, Prepare prepare, Check check) {
    for (unsigned n = 0; n < kMostWrites; ++n) {
      SCOPED_TRACE("write " + std::to_string(n));
      const TempDir data;
      const HostLocal plugin(data.path());
      prepare(plugin);
      const bool spoilt = plugin.spoil(command, "c1", n, GetParam());
      check(plugin);
      if (!spoilt || HasFatalFailure()) {
        EXPECT_GT(n, 3U) << "too few writes to be true";
        return;
      }
    }
    FAIL() << "it never ended";
  }
};

TEST_P(CniHostLocalCrash, AnAddLosesNoAddress) {
  at_every_write(
      "ADD", [](const HostLocal&) {},
      [](const HostLocal& plugin) {
        EXPECT_TRUE(plugin.call("DEL", "c1").ok());
        EXPECT_EQ(plugin.fill(), kPool);
      });
}

TEST_P(CniHostLocalCrash, AnAddGivesNoAddressOutTwice) {
  at_every_write(
      "ADD", [](const HostLocal& plugin) { ASSERT_TRUE(plugin.call("ADD", "c0").ok()); },
      [](const HostLocal& plugin) {
        const auto before = plugin.held();
        plugin.fill();
        const auto after = plugin.held();
        EXPECT_EQ(after.size(), kPool);
        for (const auto& [address, body] : before)
          if (!body.empty()) {
            EXPECT_EQ(after.at(address), body);
          }
      });
}

TEST_P(CniHostLocalCrash, ADelIsFinishedByTheNext) {
  at_every_write(
      "DEL",
      [](const HostLocal& plugin) {
        ASSERT_TRUE(plugin.call("ADD", "c0").ok());
        ASSERT_TRUE(plugin.call("ADD", "c1").ok());
      },
      [](const HostLocal& plugin) {
        EXPECT_TRUE(plugin.call("DEL", "c1").ok());
        EXPECT_EQ(plugin.held().size(), 1U);
        EXPECT_EQ(plugin.fill(), kPool - 1);
      });
}

INSTANTIATE_TEST_SUITE_P(Cni, CniHostLocalCrash, testing::Values(Spoil::kKill, Spoil::kFail),
                         [](const testing::TestParamInfo<Spoil>& tested) {
                           return tested.param == Spoil::kKill ? "Killed" : "Failed";
                         });

TEST(CniHostLocal, EmptyFilesOfACrashAreReclaimed) {
  const TempDir data;
  const HostLocal plugin(data.path());
  ASSERT_TRUE(plugin.call("ADD", "c0").ok());
  for (const char* name : {"10.1.2.3", "10.1.2.4"})
    must(write_file_atomically(plugin.file(name), "", 0600, Survives::kProcess));
  EXPECT_EQ(plugin.fill(), kPool - 1);
}

// Calls `body` with a folder on a file system of its own with so many bytes.
template <class Body>
void on_small_disk(const char* options, Body body) {
  const TempDir folder;
  std::thread([&] {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, options), 0);
    body(folder.path());
    EXPECT_EQ(::umount2(folder.path().c_str(), MNT_DETACH), 0);
  }).join();
}

void expect_a_full_disk_is_borne(const std::string& folder) {
  const HostLocal plugin(folder);
  std::size_t added = 0;
  while (added <= kPool && plugin.call("ADD", "c" + std::to_string(added)).ok()) ++added;
  ASSERT_GT(added, 0U);
  ASSERT_LT(added, kPool);
  const PluginReply refused = plugin.call("ADD", "late");
  EXPECT_NE(refused.message().find("o space left on device"), std::string::npos) << refused.output;
  EXPECT_EQ(plugin.held().size(), added);
  // What is there can be released, and the space used again.
  EXPECT_TRUE(plugin.call("DEL", "late").ok());
  EXPECT_TRUE(plugin.call("DEL", "c0").ok());
  EXPECT_TRUE(plugin.call("ADD", "late").ok());
  EXPECT_EQ(plugin.held().size(), added);
  EXPECT_TRUE(plugin.collect("").ok());
  EXPECT_EQ(plugin.held().size(), 0U);
}

TEST(CniHostLocal, AFullDiskIsSaidAndBorne) {
  on_small_disk("size=16k", expect_a_full_disk_is_borne);
}

TEST(CniHostLocal, ADiskWithoutInodesIsSaidAndBorne) {
  on_small_disk("nr_inodes=8", expect_a_full_disk_is_borne);
}

TEST(CniHostLocal, GcReleasesWhatIsNotOnTheList) {
  const TempDir data;
  const HostLocal plugin(data.path());
  ASSERT_TRUE(plugin.call("ADD", "c1").ok());
  ASSERT_TRUE(plugin.call("ADD", "c2").ok());
  const PluginReply collected = plugin.collect(R"({"containerID":"c2","ifname":"eth0"})");
  EXPECT_TRUE(collected.ok()) << collected.output;
  EXPECT_EQ(plugin.held(), (std::map<std::string, std::string>{{"10.1.2.3", "c2\r\neth0"}}));
}

// As if the machine had been started anew: another boot in the index, old files.
void start_anew(const HostLocal& plugin) {
  constexpr std::size_t kBootAt = 8;
  std::string index = must(read_file(plugin.file(".weft-index")));
  index[kBootAt] = 'x';
  must(write_file_atomically(plugin.file(".weft-index"), index, 0600, Survives::kProcess));
  const timespec old[2] = {{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 1000, .tv_nsec = 0}};
  for (const auto& [address, body] : plugin.held())
    EXPECT_EQ(::utimensat(AT_FDCWD, plugin.file(address).c_str(), old, 0), 0);
}

TEST(CniHostLocal, AfterARebootAFullPoolEmptiesItselfWhereThatIsAskedFor) {
  const TempDir data;
  const HostLocal plugin(data.path(), R"("releaseAfterReboot":true,)");
  EXPECT_EQ(plugin.fill(), kPool);
  EXPECT_FALSE(plugin.call("ADD", "late").ok());
  start_anew(plugin);
  EXPECT_TRUE(plugin.call("ADD", "late").ok());
  EXPECT_EQ(plugin.held().size(), 1U);
}

TEST(CniHostLocal, AfterARebootTheSameContainerMayComeAgainWhereThatIsAskedFor) {
  const TempDir data;
  const HostLocal plugin(data.path(), R"("releaseAfterReboot":true,)");
  ASSERT_TRUE(plugin.call("ADD", "c1").ok());
  EXPECT_FALSE(plugin.call("ADD", "c1").ok());
  start_anew(plugin);
  EXPECT_TRUE(plugin.call("ADD", "c1").ok());
  EXPECT_EQ(plugin.held().size(), 1U);
}

TEST(CniHostLocal, AfterARebootGcReleasesAlsoWhatTheRuntimeStillLists) {
  const TempDir data;
  const HostLocal plugin(data.path(), R"("releaseAfterReboot":true,)");
  ASSERT_TRUE(plugin.call("ADD", "c1").ok());
  start_anew(plugin);
  EXPECT_TRUE(plugin.collect(R"({"containerID":"c1","ifname":"eth0"})").ok());
  EXPECT_EQ(plugin.held().size(), 0U);
}

TEST(CniHostLocal, AfterARebootAddressesStayOtherwise) {
  const TempDir data;
  const HostLocal plugin(data.path());
  EXPECT_EQ(plugin.fill(), kPool);
  start_anew(plugin);
  EXPECT_FALSE(plugin.call("ADD", "late").ok());
}

}  // namespace
}  // namespace weft
