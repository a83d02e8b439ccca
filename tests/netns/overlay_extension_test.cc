// The alloc and extension backends: the whole agent, with the operator's commands run for real.
#include <filesystem>

#include <gtest/gtest.h>

#include "cluster/subnet_env.h"
#include "overlay/extension_data_plane.h"
#include "store/directory_store.h"
#include "support/segment.h"

namespace weft::overlay {
namespace {

using test::eventually;
using test::ip;
using test::must;
using test::Node;

class ExtensionTest : public testing::Test {
 protected:
  void configure(const std::string& backend) {
    must(write_file_atomically(
        store_dir() + "/config",
        R"({"Network":"10.5.0.0/16","SubnetMin":"10.5.100.0","Backend":)" + backend + "}", 0644));
  }
  std::string store_dir() const { return dir_.path() + "/store"; }
  std::string file(const std::string& name) const { return dir_.path() + "/" + name; }
  std::string text(const std::string& name) const { return read_file(file(name)).value_or(""); }

  void add_peer(const std::string& key, const std::string& public_ip, const std::string& data) {
    must(store_->create(
        LeaseKey::parse(key).value(),
        {.public_ipv4 = ip(public_ip), .backend_type = "extension", .backend_data = data},
        std::chrono::hours(24)));
  }
  void remove_peer(const std::string& key) {
    must(store_->remove(must(store_->list()).leases.at(LeaseKey::parse(key).value())));
  }

  test::TempDir dir_;
  std::unique_ptr<DirectoryStore> store_ = must(DirectoryStore::open(dir_.path() + "/store"));
  test::Segment segment_;
};

TEST_F(ExtensionTest, FlannelsDocumentedHostGwExampleWorksAsItIsPrinted) {
  configure(R"({"Type":"extension",
    "SubnetAddCommand":"ip route add \"$SUBNET\" via \"$PUBLIC_IP\"",
    "SubnetRemoveCommand":"ip route del \"$SUBNET\" via \"$PUBLIC_IP\""})");
  add_peer("10.5.7.0-24", "192.0.2.7", "");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  const auto routed = [&] {
    return node->sh("ip route").find("10.5.7.0/24 via 192.0.2.7") != std::string::npos;
  };
  EXPECT_TRUE(eventually([&] { return routed() && std::filesystem::exists(node->subnet_file()); }));
  EXPECT_EQ(must(SubnetEnv::parse(must(read_file(node->subnet_file())))).mtu, 1500U);
  remove_peer("10.5.7.0-24");
  EXPECT_TRUE(eventually([&] { return !routed(); }));
}

TEST_F(ExtensionTest, CommandsGetTheirVariablesAndThePeersDataAndNothingIsInterpreted) {
  const std::string add =
      R"(["sh","-c","{ env | grep -E '^(NETWORK|SUBNET|PUBLIC_IP)='|sort; cat; } > )" +
      file("add") + R"("])";
  configure(R"({"Type":"extension","PreStartupCommand":"echo our  data",
    "PostStartupCommand":["sh","-c","echo $NETWORK $PUBLIC_IP > )" +
            file("post") + R"("],"SubnetAddCommand":)" + add + "}");
  add_peer("10.5.7.0-24", "192.0.2.7", R"("$(touch )" + file("hacked") + R"() ;`id`")");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  EXPECT_TRUE(eventually([&] { return text("add").find("`id`\n") != std::string::npos; }));
  EXPECT_EQ(text("add"), "NETWORK=10.5.0.0/16\nPUBLIC_IP=192.0.2.7\nSUBNET=10.5.7.0/24\n$(touch " +
                             file("hacked") + ") ;`id`\n");
  EXPECT_EQ(text("post"), "10.5.0.0/16 192.0.2.1\n");
  EXPECT_FALSE(std::filesystem::exists(file("hacked")));
  const auto leases = must(store_->list()).leases;
  const auto own = std::find_if(leases.begin(), leases.end(), [](const auto& lease) {
    return lease.second.attributes.public_ipv4 == ip("192.0.2.1");
  });
  ASSERT_NE(own, leases.end());
  EXPECT_EQ(own->second.attributes.backend_data, "\"our data\"");
}

TEST_F(ExtensionTest, AFailingAddIsNamedAndTriedAgainAndTheOthersAreAdded) {
  configure(R"({"Type":"extension","SubnetAddCommand":["sh","-c",
    "case $SUBNET in 10.5.7.*) test -e )" +
            file("cured") + R"( || { echo no way >&2; exit 3; };; esac; echo $SUBNET >> )" +
            file("added") + R"("]})");
  add_peer("10.5.7.0-24", "192.0.2.7", "");
  add_peer("10.5.8.0-24", "192.0.2.8", "");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  EXPECT_TRUE(eventually([&] { return text("added") == "10.5.8.0/24\n"; }));
  EXPECT_TRUE(eventually([&] {
    return node->status().find(
               "peer 10.5.7.0/24: SubnetAddCommand: sh ended with exit code 3: "
               "no way") != std::string::npos;
  })) << node->status();
  must(write_file_atomically(file("cured"), "", 0644));
  EXPECT_TRUE(eventually([&] { return text("added") == "10.5.8.0/24\n10.5.7.0/24\n"; }));
  EXPECT_TRUE(eventually([&] { return node->status().find("\"ready\"") != std::string::npos; }));
}

TEST_F(ExtensionTest, AFailingPreStartupCommandEndsTheAgent) {
  configure(R"({"Type":"extension","PreStartupCommand":"false"})");
  auto node = segment_.add_node({"192.0.2.1/24"});
  node->start_agent(*store_);
  const Status ended = node->wait_for_agent();
  ASSERT_FALSE(ended);
  EXPECT_NE(ended.error().text().find("PreStartupCommand: false ended"), std::string::npos);
}

TEST_F(ExtensionTest, ACommandThatHangsIsKilledWithWhatItStarted) {
  const auto conf = must(NetConf::parse(
      R"({"Network":"10.5.0.0/16","Backend":{"Type":"extension",
          "PreStartupCommand":["sh","-c","sleep 1000 & echo $! > )" +
      file("pid") + R"(; wait"]}})"));
  const auto opened = ExtensionDataPlane::open(conf, std::get<ExtensionBackend>(conf.backend),
                                               std::chrono::milliseconds(300));
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text().find("did not end within 300 ms"), std::string::npos);
  const std::string pid(trim(text("pid")));
  ASSERT_FALSE(pid.empty());
  // Gone, or a zombie that nobody has waited for yet.
  EXPECT_TRUE(eventually([&] {
    const auto stat = read_file("/proc/" + pid + "/stat");
    return !stat || stat->find(") Z ") != std::string::npos;
  }));
}

TEST_F(ExtensionTest, AllocTakesALeaseAndTouchesNothingElse) {
  configure(R"({"Type":"alloc"})");
  add_peer("10.5.7.0-24", "192.0.2.7", "");
  auto node = segment_.add_node({"192.0.2.1/24"});
  const test::OverlayState before = node->overlay_state();
  node->start_agent(*store_);
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(node->subnet_file()); }));
  EXPECT_TRUE(eventually([&] { return node->status().find("\"ready\"") != std::string::npos; }));
  EXPECT_EQ(must(SubnetEnv::parse(must(read_file(node->subnet_file())))).mtu, 1500U);
  EXPECT_EQ(node->overlay_state(), before);
  for (const auto& [key, lease] : must(store_->list()).leases) {
    if (lease.attributes.public_ipv4 != ip("192.0.2.1")) continue;
    EXPECT_EQ(lease.attributes.to_json(), R"({"PublicIP":"192.0.2.1","PublicIPv6":null})");
  }
}

}  // namespace
}  // namespace weft::overlay
