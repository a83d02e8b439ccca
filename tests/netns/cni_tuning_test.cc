// The tuning plugin: the cases of the reference plugin's suite under their names, and what it
// leaves when something goes wrong.
#include <sys/mount.h>
#include <sys/stat.h>

#include <functional>

#include <gtest/gtest.h>

#include "base/files.h"
#include "support/cni_wire.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::PluginReply;
using test::TempDir;
using test::WeftPlugins;

Link eth0(const Container& container) {
  return container.inside([](kernel::Rtnetlink& inside) {
    const auto link = must(inside.link("eth0"));
    return link.value();
  });
}

class CniTuning : public testing::Test {
 protected:
  std::string config(const std::string& members) const {
    return R"({"cniVersion":"1.1.0","name":"n","type":"tuning","dataDir":")" + data_.path() + "\"" +
           members + "}";
  }
  PluginReply call(const char* command, const ContainerPort& port, const std::string& text) const {
    return weft_.folder().call("tuning", command, port, text);
  }
  std::string backup() const { return data_.path() + "/c1_eth0.json"; }

  /// ADD, CHECK and DEL of a change, which `is_there` sees between and not after.
  void comes_and_goes(const std::string& members, const std::function<bool(const Link&)>& is_there,
                      const std::string& args = {}) {
    test::in_fresh_netns([&](kernel::Rtnetlink& host) {
      const Container container("c1");
      test::lay(host, container, {});
      const Link before = eth0(container);
      ASSERT_FALSE(is_there(before));
      ContainerPort port = container.port();
      port.args = args;
      const std::string text = test::chained(config(members), test::result_of(container, {}));
      const PluginReply added = call("ADD", port, text);
      ASSERT_TRUE(added.ok()) << added.output;
      EXPECT_TRUE(is_there(eth0(container)));
      EXPECT_TRUE(read_file(backup()));
      const PluginReply checked = call("CHECK", port, test::chained(config(members), added.json));
      EXPECT_TRUE(checked.ok()) << checked.output;
      const PluginReply deleted = call("DEL", port, config(members));
      EXPECT_TRUE(deleted.ok()) << deleted.output;
      EXPECT_EQ(eth0(container), before);
      EXPECT_FALSE(read_file(backup()));
      const PluginReply broken = call("CHECK", port, text);
      EXPECT_NE(broken.message().find("Error: Tuning "), std::string::npos) << broken.output;
      EXPECT_TRUE(call("DEL", port, config(members)).ok()) << "the second time";
    });
  }

  TempDir data_;
  WeftPlugins weft_;
};

TEST_F(CniTuning, PassesPrevResultThroughUnchanged) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    const std::string members = R"(,"sysctl":{"net.ipv4.conf.all.log_martians":"1"})";
    const Json previous = test::result_of(container, {});
    const PluginReply added =
        call("ADD", container.port(), test::chained(config(members), previous));
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["interfaces"], previous["interfaces"]);
    EXPECT_EQ(added.json["ips"].size(), previous["ips"].size());
    EXPECT_EQ(container.run_inside({"cat", "/proc/sys/net/ipv4/conf/all/log_martians"}), "1\n");
    EXPECT_FALSE(read_file(backup()));
    EXPECT_TRUE(call("CHECK", container.port(), test::chained(config(members), added.json)).ok());
    EXPECT_TRUE(call("DEL", container.port(), config(members)).ok());
  });
}

TEST_F(CniTuning, PromiscuousMode) {
  const auto is_there = [](const Link& link) { return link.promiscuous; };
  comes_and_goes(R"(,"promisc":true)", is_there);
  comes_and_goes(R"(,"args":{"cni":{"promisc":true}})", is_there);
}

TEST_F(CniTuning, Mtu) {
  const auto is_there = [](const Link& link) { return link.mtu == 1454; };
  comes_and_goes(R"(,"mtu":1454)", is_there);
  comes_and_goes(R"(,"args":{"cni":{"mtu":1454}})", is_there);
}

TEST_F(CniTuning, TransmitQueueLength) {
  const auto is_there = [](const Link& link) { return link.tx_queue_length == 2500; };
  comes_and_goes(R"(,"txQLen":2500)", is_there);
  comes_and_goes(R"(,"args":{"cni":{"txQLen":2500}})", is_there);
}

TEST_F(CniTuning, MacAddress) {
  const MacAddress mac = MacAddress::parse("c2:11:22:33:44:77").value();
  const auto is_there = [&](const Link& link) { return link.mac == mac; };
  comes_and_goes(R"(,"mac":"c2:11:22:33:44:77")", is_there);
  comes_and_goes(R"(,"mac":"c2:11:22:33:44:01","args":{"cni":{"mac":"c2:11:22:33:44:77"}})",
                 is_there);
  comes_and_goes(R"(,"mac":"c2:11:22:33:44:01")", is_there,
                 "IgnoreUnknown=true;MAC=c2:11:22:33:44:77");
  comes_and_goes(R"(,"mac":"c2:11:22:33:44:01","runtimeConfig":{"mac":"c2:11:22:33:44:77"})",
                 is_there, "MAC=c2:11:22:33:44:66");
}

TEST_F(CniTuning, AllMulticast) {
  const auto is_there = [](const Link& link) { return link.all_multicast; };
  comes_and_goes(R"(,"allmulti":true)", is_there);
  comes_and_goes(R"(,"args":{"cni":{"allmulti":true}})", is_there);
}

TEST_F(CniTuning, EverythingAtOnceWithACustomDataDir) {
  comes_and_goes(
      R"(,"mac":"c2:11:22:33:44:77","promisc":true,"mtu":1454,"txQLen":2500,"allmulti":true)",
      [](const Link& link) {
        return link.promiscuous && link.mtu == 1454 && link.tx_queue_length == 2500 &&
               link.all_multicast;
      });
}

TEST_F(CniTuning, TheResultHasTheNewMac) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    const PluginReply added = call(
        "ADD", container.port(),
        test::chained(config(R"(,"mac":"C2:11:22:33:44:77")"), test::result_of(container, {})));
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["interfaces"][1]["mac"], "C2:11:22:33:44:77");
    EXPECT_FALSE(added.json["interfaces"][0].contains("mac"));
  });
}

TEST_F(CniTuning, DoesNotAllowDuplicatedSysctlValues) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const PluginReply added =
        call("ADD", container.port(), config(R"(,"sysctl":{"net.ipv4.conf.all.log_martians":"1",
                                  "net.ipv4.conf.all.log_martians":"0"},"prevResult":{})"));
    EXPECT_EQ(added.message(), "duplicated sysctl keys are not allowed");
  });
}

TEST_F(CniTuning, DoesNotAllowAnInterfaceNameWithASeparator) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const PluginReply added =
        call("ADD", container.port("eth/0"), config(R"(,"mtu":1400,"prevResult":{})"));
    EXPECT_EQ(added.code(), 4) << added.output;
    EXPECT_TRUE(must(list_directory(data_.path())).empty());
  });
}

TEST_F(CniTuning, PrevResultIsRequired) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    for (const char* command : {"ADD", "CHECK"})
      EXPECT_EQ(call(command, container.port(), config(R"(,"mtu":1400)")).message(),
                "Required prevResult missing");
  });
}

// The list has one place on a host; the test gives the plugin an /etc of its own.
TEST_F(CniTuning, Allowlist) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("etc", "/etc", "tmpfs", 0, nullptr), 0);
    must(make_directories("/etc/cni/tuning"));
    const auto allow = [](const std::string& lines) {
      must(
          write_file_atomically("/etc/cni/tuning/allowlist.conf", lines, 0644, Survives::kProcess));
    };
    const Container container("c1");
    test::lay(host, container, {});
    const std::string text =
        test::chained(config(R"(,"sysctl":{"net.ipv4.conf.all.log_martians":"1"})"),
                      test::result_of(container, {}));
    allow("^net\\.ipv4\\.conf\\.[a-z]*\\.log_martians$\n");
    EXPECT_TRUE(call("ADD", container.port(), text).ok());
    allow("^net\\.ipv6\n");
    EXPECT_NE(call("ADD", container.port(), text)
                  .message()
                  .find("Sysctl net.ipv4.conf.all.log_martians is not allowed."),
              std::string::npos);
    allow("(\n");
    EXPECT_NE(call("ADD", container.port(), text).message().find("no regular expression"),
              std::string::npos);
  });
}

TEST_F(CniTuning, AFailureTakesEverythingBack) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    const Link before = eth0(container);
    const std::string sysctls =
        R"(,"sysctl":{"net.ipv4.conf.IFNAME.log_martians":"1","net.ipv4.no.such":"1"})";
    const PluginReply added = call("ADD", container.port(),
                                   test::chained(config(sysctls), test::result_of(container, {})));
    EXPECT_EQ(added.message(), "open /proc/sys/net/ipv4/no/such: no such file or directory");
    const auto martians = [&] {
      return container.run_inside({"cat", "/proc/sys/net/ipv4/conf/eth0/log_martians"});
    };
    EXPECT_EQ(martians(), "0\n");
    const std::string attributes =
        R"(,"sysctl":{"net.ipv4.conf.IFNAME.log_martians":"1"},"txQLen":7,"mtu":99999999)";
    const PluginReply second = call(
        "ADD", container.port(), test::chained(config(attributes), test::result_of(container, {})));
    EXPECT_NE(second.message().find("failed to change \"eth0\""), std::string::npos)
        << second.output;
    EXPECT_EQ(martians(), "0\n");
    EXPECT_EQ(eth0(container), before);
    EXPECT_FALSE(read_file(backup()));
  });
}

TEST_F(CniTuning, TwoOfAChainRestoreWhatWasThereAtFirst) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    const Link before = eth0(container);
    const Json previous = test::result_of(container, {});
    const std::string one = config(R"(,"mtu":1400)");
    const std::string two = config(R"(,"mtu":1300,"promisc":true)");
    ASSERT_TRUE(call("ADD", container.port(), test::chained(one, previous)).ok());
    ASSERT_TRUE(call("ADD", container.port(), test::chained(two, previous)).ok());
    EXPECT_TRUE(call("DEL", container.port(), two).ok());
    EXPECT_TRUE(call("DEL", container.port(), one).ok());
    EXPECT_EQ(eth0(container), before);
  });
}

TEST_F(CniTuning, DelWithoutNamespaceDeviceOrAddLeavesNothing) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    const std::string wanted = config(R"(,"mtu":1400)");
    EXPECT_TRUE(call("DEL", container.port(), wanted).ok());
    for (const bool without_namespace : {false, true}) {
      test::lay(host, container, {});
      ASSERT_TRUE(
          call("ADD", container.port(), test::chained(wanted, test::result_of(container, {})))
              .ok());
      must(host.remove(must(host.link("host0"))->index));
      ContainerPort port = container.port();
      if (without_namespace) port.netns = "/no/such/path";
      const PluginReply deleted = call("DEL", port, config(R"(,"mtu":"wrong")"));
      EXPECT_TRUE(deleted.ok()) << deleted.output;
      EXPECT_FALSE(read_file(backup()));
    }
  });
}

TEST_F(CniTuning, GcRemovesTheBackupsOfItsNetworkAlone) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container containers[] = {Container("c1"), Container("c2"), Container("c3")};
    std::string other = config(R"(,"mtu":1400)");
    other.replace(other.find(R"("n")"), 3, R"("other")");
    for (std::size_t i = 0; i < 3; ++i) {
      const test::Wire wire{.host_name = "host" + std::to_string(i)};
      test::lay(host, containers[i], wire);
      ASSERT_TRUE(call("ADD", containers[i].port(),
                       test::chained(i == 2 ? other : config(R"(,"mtu":1400)"),
                                     test::result_of(containers[i], wire)))
                      .ok());
    }
    const PluginReply collected =
        call("GC", {}, config(R"(,"cni.dev/valid-attachments":[{"containerID":"c1",
                                  "ifname":"eth0"}])"));
    EXPECT_TRUE(collected.ok()) << collected.output;
    EXPECT_EQ(must(list_directory(data_.path())),
              (std::vector<std::string>{".weft", "c1_eth0.json", "c3_eth0.json"}));
    EXPECT_EQ(call("GC", {}, config("")).code(), 7);
    EXPECT_EQ(must(list_directory(data_.path())).size(), 3U);
  });
}

TEST_F(CniTuning, CheckDoesNotMindHowTheKernelSpacesNumbers) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    const std::string members = R"(,"sysctl":{"net.ipv4.ip_local_port_range":"20000 30000"})";
    const std::string text = test::chained(config(members), test::result_of(container, {}));
    ASSERT_TRUE(call("ADD", container.port(), text).ok());
    const PluginReply checked = call("CHECK", container.port(), text);
    EXPECT_TRUE(checked.ok()) << checked.output;
  });
}

}  // namespace
}  // namespace weft
