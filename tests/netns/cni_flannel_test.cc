#include <gtest/gtest.h>

#include "base/files.h"
#include "support/cni_container.h"

namespace weft {
namespace {

using test::Container;
using test::must;
using test::PluginFolder;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

constexpr const char* kSubnetEnv =
    "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\n"
    "FLANNEL_IPV6_NETWORK=fd00:10::/48\nFLANNEL_IPV6_SUBNET=fd00:10:0:1::1/64\n"
    "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n";

class CniFlannel : public testing::Test {
 protected:
  std::string config() const {
    return R"({"cniVersion":"1.1.0","name":"cbr0","type":"flannel","subnetFile":")" +
           subnet_file() + R"(","dataDir":")" + data_.path() + R"(/flannel","ipam":{"dataDir":")" +
           data_.path() + R"(/networks"},"delegate":{"bridge":"br0","isDefaultGateway":true}})";
  }
  std::string subnet_file() const { return data_.path() + "/run/subnet.env"; }
  void write_run_file(const std::string& name, const std::string& text) const {
    must(make_directories(data_.path() + "/run"));
    must(write_file_atomically(data_.path() + "/run/" + name, text, 0644, Survives::kProcess));
  }
  PluginReply call(const std::string& command, const Container& container) const {
    return plugins_.call("flannel", command, container.port(), config());
  }
  bool file_is_there(const std::string& name) const {
    return read_file(data_.path() + "/" + name).has_value();
  }

  TempDir data_;
  WeftPlugins links_;
  PluginFolder plugins_ = links_.folder();
};

TEST_F(CniFlannel, WiresBothFamiliesAndTakesThemAwayAgain) {
  write_run_file("subnet.env", kSubnetEnv);
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    const PluginReply added = call("ADD", container);
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["ips"][0]["address"], "10.244.1.2/24");
    EXPECT_EQ(added.json["ips"][1]["address"], "fd00:10:0:1::2/64");
    EXPECT_EQ(must(host.link("br0"))->mtu, 1450U);
    EXPECT_NE(container.run_inside({"ip", "route"}).find("10.244.0.0/16 via 10.244.1.1"),
              std::string::npos);
    Json checked = must(parse_json(config()));
    checked["prevResult"] = added.json;
    const PluginReply check = plugins_.call("flannel", "CHECK", container.port(), to_text(checked));
    EXPECT_TRUE(check.ok()) << check.output;
    EXPECT_TRUE(file_is_there("flannel/c1"));
    // DEL needs no subnet.env.
    must(remove_file(subnet_file()));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(call("DEL", container).ok());
    EXPECT_FALSE(file_is_there("flannel/c1"));
    EXPECT_FALSE(file_is_there("networks/cbr0/10.244.1.2"));
  });
}

TEST_F(CniFlannel, SaysWhyTheNetworkIsNotReady) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const std::string known =
        "failed to load flannel 'subnet.env' file: open " + subnet_file() +
        ": no such file or directory. Check the flannel pod log for this node.";
    const auto expect = [&](const std::string& why) {
      const PluginReply added = call("ADD", container);
      EXPECT_EQ(added.message(), known);
      EXPECT_NE(added.details().find(why), std::string::npos) << added.output;
      const PluginReply status = call("STATUS", container);
      EXPECT_EQ(status.code(), 50);
      EXPECT_NE(status.details().find(why), std::string::npos) << status.output;
    };
    expect("the agent has never run on this node");
    must(make_directories(data_.path() + "/run"));
    expect("the agent has written no lease");
    const std::string own = std::to_string(::getpid());
    write_run_file(
        "status.json",
        R"({"state":"waiting-for-lease","reason":"no free subnet","since":1,"pid":)" + own + "}");
    expect("the agent waits for a subnet lease");
    write_run_file(
        "status.json",
        R"({"state":"store-unreachable","reason":"refused","since":1,"pid":)" + own + "}");
    expect("the agent cannot reach the store of the leases");
    write_run_file("status.json", R"({"state":"error","reason":"x","since":1,"pid":2147483646})");
    expect("the agent is not running (last seen as process 2147483646");
    write_run_file("status.json", "{\"state\":");
    expect("status.json of the agent cannot be read");
  });
}

TEST_F(CniFlannel, AHalfWrittenFileIsRefusedInWords) {
  write_run_file("subnet.env", "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUB");
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const PluginReply added = call("ADD", Container("c1"));
    EXPECT_NE(added.message().find(subnet_file() + " is missing FLANNEL_SUBNET"), std::string::npos)
        << added.output;
    write_run_file("subnet.env", kSubnetEnv);
    EXPECT_TRUE(call("STATUS", Container("c1")).ok());
  });
}

// Where the Go plugin forgets: the runtime's next DEL must find the record again.
TEST_F(CniFlannel, TheRecordStaysUntilTheDelegateSucceeded) {
  write_run_file("subnet.env", kSubnetEnv);
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    ASSERT_TRUE(call("ADD", container).ok());
    const std::string bridge = plugins_.path() + "/bridge";
    must(remove_file(bridge));
    must(write_file_atomically(bridge,
                               "#!/bin/sh\necho '{\"code\":11,\"msg\":\"later\"}'; exit 1\n", 0755,
                               Survives::kProcess));
    const PluginReply failed = call("DEL", container);
    EXPECT_EQ(failed.code(), 11) << failed.output;
    EXPECT_TRUE(file_is_there("flannel/c1"));
    must(remove_file(bridge));
    links_.link("bridge");
    EXPECT_TRUE(call("DEL", container).ok());
    EXPECT_FALSE(file_is_there("flannel/c1"));
    EXPECT_FALSE(file_is_there("networks/cbr0/10.244.1.2"));
  });
}

TEST_F(CniFlannel, ALostOrTornRecordDoesNotLeakTheAddress) {
  write_run_file("subnet.env", kSubnetEnv);
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    for (const std::string left : {"", "{\"name\":\"cb"}) {
      const Container container("c1");
      ASSERT_TRUE(call("ADD", container).ok());
      must(write_file_atomically(data_.path() + "/flannel/c1", left, 0600, Survives::kProcess));
      EXPECT_TRUE(call("DEL", container).ok());
      for (const auto& name : must(list_directory(data_.path() + "/networks/cbr0")))
        EXPECT_FALSE(IpAddress::parse(name)) << name;
    }
  });
}

TEST_F(CniFlannel, GcRemovesWhatIsNotListed) {
  write_run_file("subnet.env", kSubnetEnv);
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container one("c1");
    const Container two("c2");
    ASSERT_TRUE(call("ADD", one).ok());
    ASSERT_TRUE(call("ADD", two).ok());
    Json collected = must(parse_json(config()));
    collected["cni.dev/valid-attachments"] =
        Json::array({{{"containerID", "c2"}, {"ifname", "eth0"}}});
    const PluginReply reply = plugins_.call("flannel", "GC", {}, to_text(collected));
    EXPECT_TRUE(reply.ok()) << reply.output;
    EXPECT_FALSE(file_is_there("networks/cbr0/10.244.1.2"));
    EXPECT_FALSE(file_is_there("flannel/c1"));
    EXPECT_TRUE(file_is_there("networks/cbr0/10.244.1.3"));
    EXPECT_TRUE(file_is_there("flannel/c2"));
  });
}

}  // namespace
}  // namespace weft
