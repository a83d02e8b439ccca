// The host-device plugin on the real kernel: the cases of containernetworking/plugins,
// plugins/main/host-device/host-device_test.go, and what those do not ask. Buses that this machine
// does not have are folders mounted over sysfs, for the test's thread alone.
#include <sys/mount.h>

#include <filesystem>

#include "support/cni_fixture.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::PluginReply;

class CniHostDevice : public test::CniFixture {
 protected:
  /// A device that can be lent: one end of a veth pair, up.
  static Link make_device(kernel::Rtnetlink& host, const std::string& name = "nic0") {
    must(host.create({.name = name,
                      .kind = "veth",
                      .mac = MacAddress::parse("02:00:00:00:00:42"),
                      .up = true,
                      .peer = kernel::VethPeer{.name = "far-" + name}}));
    return must(host.link(name)).value();
  }
  static std::string host_device(const std::string& members, const char* version = "1.1.0") {
    return config("host-device", members, version);
  }
  PluginReply run(const std::string& command, const ContainerPort& port,
                  const std::string& text) const {
    return call("host-device", command, port, text);
  }
  void expect_lent_and_returned(kernel::Rtnetlink& host, const std::string& text) const {
    const Container container("c1");
    const PluginReply added = run("ADD", container.port(), text);
    ASSERT_TRUE(added.ok()) << added.output << text;
    EXPECT_FALSE(must(host.link("nic0")));
    const Link lent = link_in(container);
    EXPECT_EQ(lent.alias, "nic0");
    EXPECT_EQ(lent.mac.to_string(), "02:00:00:00:00:42");
    EXPECT_TRUE(lent.up);
    if (added.json.contains("interfaces")) {
      EXPECT_EQ(added.json["interfaces"][0]["name"], "eth0");
      EXPECT_EQ(added.json["interfaces"][0]["mac"], "02:00:00:00:00:42");
    }
    if (added.json["cniVersion"] >= "0.4.0") {
      const PluginReply checked =
          run("CHECK", container.port(), with(text, "prevResult", added.json));
      EXPECT_TRUE(checked.ok()) << checked.output;
    }
    for (int i = 0; i < 2; ++i) {
      const PluginReply deleted = run("DEL", container.port(), text);
      EXPECT_TRUE(deleted.ok()) << deleted.output;
    }
    const auto back = must(host.link("nic0"));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->alias, "");
    EXPECT_FALSE(back->up);
    EXPECT_FALSE(has_link(container, "eth0"));
  }
};

TEST_F(CniHostDevice, WorksWithoutIpam) {
  for (const char* version : {"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"})
    test::in_fresh_netns([&](kernel::Rtnetlink& host) {
      make_device(host);
      expect_lent_and_returned(host, host_device(R"(,"device":"nic0")", version));
    });
}

TEST_F(CniHostDevice, WorksWithIpam) {
  for (const char* version : test::kCniVersions)
    test::in_fresh_netns([&](kernel::Rtnetlink& host) {
      make_device(host);
      expect_lent_and_returned(host, host_device(R"(,"device":"nic0")" + ipam(), version));
      EXPECT_FALSE(holds("10.1.2.2"));
      ASSERT_TRUE(remove_tree(data_.path() + "/n"));
    });
}

TEST_F(CniHostDevice, IsFoundByItsMacAddress) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_device(host);
    expect_lent_and_returned(host, host_device(R"(,"hwaddr":"02:00:00:00:00:42")"));
  });
}

TEST_F(CniHostDevice, NamesThatAreUsedOnTheOtherSideDoNotMatter) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_device(host);
    must(host.create({.name = "eth0", .kind = "veth", .peer = kernel::VethPeer{.name = "x"}}));
    const Container container("c1");
    container.inside([](kernel::Rtnetlink& inside) {
      must(inside.create({.name = "nic0", .kind = "veth", .peer = kernel::VethPeer{.name = "y"}}));
    });
    const std::string text = host_device(R"(,"device":"nic0")");
    ASSERT_TRUE(run("ADD", container.port(), text).ok());
    EXPECT_EQ(link_in(container).alias, "nic0");
    ASSERT_TRUE(run("DEL", container.port(), text).ok());
    EXPECT_TRUE(must(host.link("nic0")));
    EXPECT_TRUE(has_link(container, "nic0"));
  });
}

TEST_F(CniHostDevice, ANameThatIsTakenInTheContainerLeavesTheDeviceAlone) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Link device = make_device(host);
    must(host.change(device.index, {.alias = "uplink of the rack"}));
    const Container container("c1");
    container.inside([](kernel::Rtnetlink& inside) {
      must(inside.create({.name = "eth0", .kind = "veth", .peer = kernel::VethPeer{.name = "y"}}));
    });
    const PluginReply added = run("ADD", container.port(), host_device(R"(,"device":"nic0")"));
    EXPECT_NE(added.message().find("file exists"), std::string::npos) << added.output;
    const Link present = must(host.link("nic0")).value();
    EXPECT_TRUE(present.up);
    EXPECT_EQ(present.alias, "uplink of the rack");
    // Nor does DEL take a device away that was not lent.
    EXPECT_TRUE(run("DEL", container.port(), host_device(R"(,"device":"nic0")")).ok());
    EXPECT_TRUE(has_link(container, "eth0"));
  });
}

TEST_F(CniHostDevice, ANameThatIsTakenOnTheHostIsToldAndTheAddressReleased) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_device(host);
    const Container container("c1");
    const std::string text = host_device(R"(,"device":"nic0")" + ipam());
    ASSERT_TRUE(run("ADD", container.port(), text).ok());
    must(host.create({.name = "nic0", .kind = "veth", .peer = kernel::VethPeer{.name = "x"}}));
    const PluginReply deleted = run("DEL", container.port(), text);
    EXPECT_NE(deleted.message().find("failed to rename device \"eth0\" to \"nic0\""),
              std::string::npos)
        << deleted.output;
    EXPECT_FALSE(holds("10.1.2.2"));
    must(host.remove(must(host.link("nic0"))->index));
    EXPECT_TRUE(run("DEL", container.port(), text).ok());
    EXPECT_EQ(must(host.link("nic0"))->mac.to_string(), "02:00:00:00:00:42");
  });
}

TEST_F(CniHostDevice, AFailureAfterTheMoveBringsTheDeviceHomeAsItWas) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_device(host);
    const Container container("c1");
    for (const std::string& failing :
         {std::string(R"(,"ipam":{"type":"no-such-plugin"})"),
          ipam(R"([[{"subnet":"10.1.2.0/24"}]])",
               R"(,"routes":[{"dst":"10.9.0.0/16","gw":"192.0.2.7"}])")}) {
      const PluginReply added =
          run("ADD", container.port(), host_device(R"(,"device":"nic0")" + failing));
      EXPECT_FALSE(added.ok());
      const auto back = must(host.link("nic0"));
      ASSERT_TRUE(back) << added.output;
      EXPECT_TRUE(back->up);
      EXPECT_EQ(back->alias, "");
      EXPECT_FALSE(holds("10.1.2.2"));
    }
  });
}

TEST_F(CniHostDevice, DelGivesTheAddressBackWithoutNamespaceDeviceOrConfiguration) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const std::string text = host_device(R"(,"device":"nic0")" + ipam());
    for (const std::string path : {"", "/no/such/path"}) {
      const Container container("c1");
      make_device(host);
      ASSERT_TRUE(run("ADD", container.port(), text).ok());
      ContainerPort gone = container.port();
      gone.netns = path;
      const PluginReply deleted = run("DEL", gone, text);
      EXPECT_TRUE(deleted.ok()) << deleted.output;
      EXPECT_EQ(must(list_directory(data_.path() + "/n")),
                (std::vector<std::string>{".weft-index", "last_reserved_ip.0", "lock"}));
      must(host.remove(must(host.link("far-nic0"))->index));
    }
    const Container container("c1");
    make_device(host);
    ASSERT_TRUE(run("ADD", container.port(), text).ok());
    // A configuration without any device.
    EXPECT_TRUE(run("DEL", container.port(), host_device(ipam())).ok());
    EXPECT_TRUE(must(host.link("nic0")));
  });
}

TEST_F(CniHostDevice, FailsAnInvalidConfig) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    struct {
      const char* members;
      const char* message;
    } const cases[] = {
        {"", R"(specify either "device", "hwaddr", "kernelpath" or "pciBusID")"},
        {R"(,"device":"none")", "failed to find host device: Link not found"},
        {R"(,"hwaddr":"x")", "failed to find host device: failed to parse MAC address \"x\""},
        {R"(,"hwaddr":"02:00:00:00:00:99")",
         "failed to find host device: failed to find physical interface"},
        {R"(,"kernelpath":"/etc")",
         "failed to find host device: kernel device path \"/etc\" must be absolute and begin with "
         "/sys/devices/"},
        {R"(,"kernelpath":"/sys/devices/none")",
         "failed to find host device: failed to read directory /sys/devices/none/net"},
        {R"(,"pciBusID":"../x")", "invalid device id \"../x\""},
        {R"(,"runtimeConfig":{"deviceID":"0000:99:00.5"})",
         "runtime config DeviceID 0000:99:00.5 not found or unsupported"},
    };
    for (const auto& c : cases)
      EXPECT_EQ(run("ADD", container.port(), host_device(c.members)).message(), c.message);
  });
}

TEST_F(CniHostDevice, CheckFindsWhatWasBroken) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_device(host);
    const Container container("c1");
    const std::string text = host_device(R"(,"device":"nic0")" + ipam());
    const PluginReply added = run("ADD", container.port(), text);
    ASSERT_TRUE(added.ok());
    EXPECT_EQ(run("CHECK", container.port(), text).message(), "Required prevResult missing");
    const std::string checked = with(text, "prevResult", added.json);
    container.inside([](kernel::Rtnetlink& inside) {
      must(inside.change(must(inside.link("eth0"))->index,
                         {.mac = MacAddress::parse("02:00:00:00:00:43")}));
    });
    EXPECT_NE(run("CHECK", container.port(), checked).message().find("doesn't match"),
              std::string::npos);
    EXPECT_TRUE(run("STATUS", {}, text).ok());
    EXPECT_TRUE(run("GC", {}, with(text, "cni.dev/valid-attachments", Json::array())).ok());
    EXPECT_FALSE(holds("10.1.2.2"));
  });
}

/// Folders instead of /sys/bus and /sys/devices/virtual, for the calling thread and what it starts.
class OwnBuses {
 public:
  OwnBuses() {
    EXPECT_EQ(::unshare(CLONE_NEWNS), 0);
    EXPECT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    for (const char* folder : {"/sys/bus", "/sys/devices/virtual"})
      EXPECT_EQ(::mount("weft-test", folder, "tmpfs", 0, nullptr), 0) << folder;
  }
  static void folder(const std::string& path) { std::filesystem::create_directories(path); }
  static void driver(const std::string& device, const std::string& name) {
    folder("/sys/bus/drivers/" + name);
    folder(device);
    std::filesystem::create_symlink("/sys/bus/drivers/" + name, device + "/driver");
  }
};

TEST_F(CniHostDevice, IsFoundOnItsBusAndByItsPath) {
  const std::string pci = "/sys/bus/pci/devices/";
  struct {
    std::string folder;  // of the network device
    std::string driver;  // the device that has one
    const char* members;
  } const cases[] = {
      {pci + "0000:00:04.0/net/nic0", pci + "0000:00:04.0", R"(,"pciBusID":"0000:00:04.0")"},
      {pci + "0000:00:05.0/virtio1/net/nic0", pci + "0000:00:05.0",
       R"(,"pciBusID":"0000:00:05.0")"},
      {pci + "0000:00:06.0/net/nic0", pci + "0000:00:06.0",
       R"(,"runtimeConfig":{"deviceID":"0000:00:06.0"})"},
      {"/sys/bus/auxiliary/devices/mlx5_core.sf.4/net/nic0", "",
       R"(,"runtimeConfig":{"deviceID":"mlx5_core.sf.4"})"},
      {"/sys/devices/virtual/some/net/nic0", "", R"(,"kernelpath":"/sys/devices/virtual/some")"},
  };
  for (const auto& c : cases)
    test::in_fresh_netns([&](kernel::Rtnetlink& host) {
      const OwnBuses buses;
      OwnBuses::folder(c.folder);
      if (!c.driver.empty()) OwnBuses::driver(c.driver, "e1000e");
      make_device(host);
      const Container container("c1");
      const PluginReply added = run("ADD", container.port(), host_device(c.members));
      ASSERT_TRUE(added.ok()) << added.output << c.members;
      EXPECT_EQ(link_in(container).alias, "nic0");
    });
}

TEST_F(CniHostDevice, ADeviceOfADriverInUserSpaceGetsAddressesOnly) {
  for (const char* driver : {"vfio-pci", "uio_pci_generic", "igb_uio"})
    test::in_fresh_netns([&](kernel::Rtnetlink&) {
      const OwnBuses buses;
      OwnBuses::driver("/sys/bus/pci/devices/0000:00:04.0", driver);
      const Container container("c1");
      const std::string bare = host_device(R"(,"pciBusID":"0000:00:04.0")");
      const PluginReply alone = run("ADD", container.port(), bare);
      ASSERT_TRUE(alone.ok()) << alone.output;
      EXPECT_EQ(alone.json["interfaces"][0]["sandbox"], container.path());
      EXPECT_FALSE(alone.json["interfaces"][0].contains("mac"));
      const std::string text = host_device(R"(,"pciBusID":"0000:00:04.0")" + ipam());
      const PluginReply added = run("ADD", container.port(), text);
      ASSERT_TRUE(added.ok()) << added.output;
      EXPECT_EQ(added.json["ips"][0]["address"], "10.1.2.2/24");
      EXPECT_FALSE(has_link(container, "eth0"));
      const PluginReply checked =
          run("CHECK", container.port(), with(text, "prevResult", added.json));
      EXPECT_TRUE(checked.ok()) << checked.output;
      EXPECT_TRUE(run("DEL", container.port(), text).ok());
      EXPECT_FALSE(holds("10.1.2.2"));
      ASSERT_TRUE(remove_tree(data_.path() + "/n"));
    });
}

}  // namespace
}  // namespace weft
