// cni_device_cases.h: what all plugins must do that put one device into a container, whatever the
// device is. The cases of the upstream suites (containernetworking/plugins, plugins/main/*_test.go)
// that are the same for each of them, and what those do not ask: roll-back, GC, lost namespaces.
//
// Included by one file of a test program, which names the devices with INSTANTIATE_TEST_SUITE_P.
#pragma once

#include <ostream>

#include "support/cni_fixture.h"
#include "support/eventually.h"

namespace weft::test {

struct DeviceCase {
  const char* plugin;
  const char* kind;          ///< as the kernel names it
  const char* members = "";  ///< what the configuration needs, with a comma in front
  bool has_master = true;
};

inline std::ostream& operator<<(std::ostream& out, const DeviceCase& device) {
  return out << device.plugin;
}

class CniDevice : public CniFixture, public testing::WithParamInterface<DeviceCase> {
 protected:
  /// A veth that can be a master.
  static void make_master(kernel::Rtnetlink& rtnetlink) {
    must(rtnetlink.create(
        {.name = "master0", .kind = "veth", .up = true, .peer = kernel::VethPeer{.name = "far0"}}));
    must(rtnetlink.change(must(rtnetlink.link("far0"))->index, {.up = true}));
  }
  std::string plugin() const { return GetParam().plugin; }
  std::string device_config(const std::string& more, const char* version = "1.1.0") const {
    const std::string master = GetParam().has_master ? R"(,"master":"master0")" : "";
    return config(plugin(), GetParam().members + master + more, version);
  }
  PluginReply run(const std::string& command, const ContainerPort& port,
                  const std::string& text) const {
    return call(plugin(), command, port, text);
  }

  void add_and_delete(const Container& container, const std::string& text) const {
    const PluginReply added = run("ADD", container.port(), text);
    ASSERT_TRUE(added.ok()) << added.output << text;
    const Link link = link_in(container);
    EXPECT_EQ(link.kind, GetParam().kind);
    EXPECT_TRUE(link.up);
    EXPECT_TRUE(holds("10.1.2.2"));
    const std::string version = added.json["cniVersion"];
    if (version >= "0.3.0") {
      ASSERT_EQ(added.json["interfaces"].size(), 1U);
      const Json& interface = added.json["interfaces"][0];
      EXPECT_EQ(interface["name"], "eth0");
      EXPECT_EQ(interface["mac"], link.mac.to_string());
      EXPECT_EQ(interface["sandbox"], container.path());
      EXPECT_EQ(added.json["ips"][0]["interface"], 0);
      EXPECT_EQ(added.json["ips"][0]["address"], "10.1.2.2/24");
    } else {
      EXPECT_EQ(added.json["ip4"]["ip"], "10.1.2.2/24");
    }
    if (version >= "0.4.0") {
      const PluginReply checked =
          run("CHECK", container.port(), with(text, "prevResult", added.json));
      EXPECT_TRUE(checked.ok()) << checked.output;
      EXPECT_EQ(checked.output, "");
    }
    for (int i = 0; i < 2; ++i) {
      const PluginReply deleted = run("DEL", container.port(), text);
      EXPECT_TRUE(deleted.ok()) << deleted.output;
      EXPECT_EQ(deleted.output, "");
    }
    EXPECT_FALSE(has_link(container, "eth0"));
    EXPECT_FALSE(holds("10.1.2.2"));
  }
};

TEST_P(CniDevice, ConfiguresAndDeconfiguresALinkWithAddCheckDel) {
  for (const char* version : kCniVersions)
    in_fresh_netns([&](kernel::Rtnetlink& host) {
      make_master(host);
      add_and_delete(Container("c1"), device_config(ipam(), version));
      ASSERT_TRUE(remove_tree(data_.path() + "/n"));
    });
}

TEST_P(CniDevice, ConfiguresAndDeconfiguresALinkInTheContainer) {
  if (!GetParam().has_master) return;
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    container.inside([](kernel::Rtnetlink& inside) { make_master(inside); });
    const std::string text = device_config(R"(,"linkInContainer":true)" + ipam());
    add_and_delete(container, text);
    // It is not looked for on the host.
    const Container empty("c2");
    make_master(host);
    EXPECT_EQ(run("ADD", empty.port(), text).message(),
              "failed to lookup master \"master0\": Link not found");
  });
}

TEST_P(CniDevice, DeconfiguresAnUnconfiguredLinkWithDel) {
  in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    const PluginReply deleted = run("DEL", container.port(), device_config(ipam()));
    EXPECT_TRUE(deleted.ok()) << deleted.output;
  });
}

TEST_P(CniDevice, ADeviceOfThatNameOnTheHostDoesNotMatter) {
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    must(host.create({.name = "eth0", .kind = "veth", .peer = kernel::VethPeer{.name = "x"}}));
    add_and_delete(Container("c1"), device_config(ipam()));
    EXPECT_EQ(must(host.link("eth0"))->kind, "veth");
  });
}

TEST_P(CniDevice, SecondAddIsRefusedAndLeavesTheFirstAlone) {
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container container("c1");
    ASSERT_TRUE(run("ADD", container.port(), device_config(ipam())).ok());
    const LinkIndex first = link_in(container).index;
    const PluginReply second = run("ADD", container.port(), device_config(ipam()));
    EXPECT_NE(second.message().find("failed to create"), std::string::npos) << second.output;
    EXPECT_EQ(link_in(container).index, first);
    EXPECT_TRUE(holds("10.1.2.2"));
    EXPECT_FALSE(holds("10.1.2.3"));
  });
}

TEST_P(CniDevice, BothFamiliesAndTheirRoutes) {
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container container("c1");
    const std::string text = device_config(
        ipam(R"([[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:1::/64"}]])",
             R"(,"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"},{"dst":"0.0.0.0/0"}])"));
    const PluginReply added = run("ADD", container.port(), text);
    ASSERT_TRUE(added.ok()) << added.output;
    const std::string addresses =
        container.run_inside({"ip", "-o", "address", "show", "dev", "eth0"});
    EXPECT_NE(addresses.find("10.1.2.2/24"), std::string::npos) << addresses;
    EXPECT_NE(addresses.find("fd00:1::2/64"), std::string::npos) << addresses;
    EXPECT_NE(container.run_inside({"ip", "route"}).find("default via 10.1.2.1 dev eth0"),
              std::string::npos);
    EXPECT_NE(container.run_inside({"ip", "-6", "route"}).find("default via fd00:1::1 dev eth0"),
              std::string::npos);
    const PluginReply checked =
        run("CHECK", container.port(), with(text, "prevResult", added.json));
    EXPECT_TRUE(checked.ok()) << checked.output;
  });
}

TEST_P(CniDevice, AFailureAfterIpamTakesDeviceAndLeaseBack) {
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container container("c1");
    const PluginReply added =
        run("ADD", container.port(),
            device_config(ipam(R"([[{"subnet":"10.1.2.0/24"}]])",
                               R"(,"routes":[{"dst":"10.9.0.0/16","gw":"192.0.2.7"}])")));
    EXPECT_NE(added.message().find("failed to add route '10.9.0.0/16 via 192.0.2.7 dev eth0'"),
              std::string::npos)
        << added.output;
    EXPECT_FALSE(has_link(container, "eth0"));
    EXPECT_FALSE(holds("10.1.2.2"));
    EXPECT_TRUE(run("ADD", container.port(), device_config(ipam())).ok());
  });
}

TEST_P(CniDevice, AFailureOfIpamTakesTheDeviceBack) {
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container container("c1");
    const PluginReply added =
        run("ADD", container.port(), device_config(R"(,"ipam":{"type":"no-such-plugin"})"));
    EXPECT_NE(added.message().find("failed to find plugin \"no-such-plugin\""), std::string::npos)
        << added.output;
    EXPECT_FALSE(has_link(container, "eth0"));
  });
}

TEST_P(CniDevice, DelGivesTheAddressBackWithoutNamespaceOrMaster) {
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const std::string text = device_config(ipam());
    // The device of the container before goes with its namespace, when the kernel gets to it; until
    // then a VLAN is taken.
    const auto is_added = [&](const Container& container) {
      return eventually([&] { return run("ADD", container.port(), text).ok(); });
    };
    for (const std::string path : {"", "/no/such/path"}) {
      const Container container("c1");
      ASSERT_TRUE(is_added(container));
      ContainerPort gone = container.port();
      gone.netns = path;
      const PluginReply deleted = run("DEL", gone, text);
      EXPECT_TRUE(deleted.ok()) << path << deleted.output;
      EXPECT_FALSE(holds("10.1.2.2"));
      EXPECT_FALSE(holds("10.1.2.3"));
    }
    // Its device goes with the master.
    const Container container("c2");
    ASSERT_TRUE(is_added(container));
    must(host.remove(must(host.link("master0"))->index));
    const PluginReply deleted = run("DEL", container.port(), text);
    EXPECT_TRUE(deleted.ok()) << deleted.output;
    EXPECT_EQ(must(list_directory(data_.path() + "/n")),
              (std::vector<std::string>{".weft-index", "last_reserved_ip.0", "lock"}));
  });
}

TEST_P(CniDevice, CheckFindsWhatWasBroken) {
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container container("c1");
    const std::string text = device_config(ipam());
    const PluginReply added = run("ADD", container.port(), text);
    ASSERT_TRUE(added.ok()) << added.output;
    const std::string checked = with(text, "prevResult", added.json);
    EXPECT_EQ(run("CHECK", container.port(), text).message(), "Required prevResult missing");
    Json elsewhere = added.json;
    elsewhere["interfaces"][0]["sandbox"] = "/elsewhere";
    EXPECT_NE(run("CHECK", container.port(), with(text, "prevResult", elsewhere))
                  .message()
                  .find("doesn't match configured netns"),
              std::string::npos);
    Json stranger = added.json;
    stranger["interfaces"][0]["mac"] = "02:00:00:00:00:99";
    EXPECT_NE(run("CHECK", container.port(), with(text, "prevResult", stranger))
                  .message()
                  .find("doesn't match prevResult Mac"),
              std::string::npos);
    container.inside([](kernel::Rtnetlink& inside) {
      must(
          inside.remove(LinkAddressKey{.link = must(inside.link("eth0"))->index,
                                       .address = InterfaceAddress::parse("10.1.2.2/24").value()}));
    });
    EXPECT_EQ(run("CHECK", container.port(), checked).message(),
              "Failed to match addr 10.1.2.2/24 on interface eth0");
    container.inside([](kernel::Rtnetlink& inside) {
      must(inside.remove(must(inside.link("eth0"))->index));
      must(inside.create({.name = "eth0", .kind = "veth", .peer = kernel::VethPeer{.name = "x"}}));
    });
    EXPECT_EQ(run("CHECK", container.port(), checked).message(),
              "Container interface eth0 not of type " + std::string(GetParam().kind));
  });
}

TEST_P(CniDevice, StatusAsksForTheMasterAndIpam) {
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    const PluginReply without = run("STATUS", {}, device_config(ipam()));
    EXPECT_EQ(without.code(), GetParam().has_master ? 50 : 0) << without.output;
    make_master(host);
    const PluginReply ready = run("STATUS", {}, device_config(ipam()));
    EXPECT_TRUE(ready.ok()) << ready.output;
    EXPECT_FALSE(run("STATUS", {}, device_config(R"(,"ipam":{"type":"no-such-plugin"})")).ok());
  });
}

TEST_P(CniDevice, GcReleasesWhatNobodyHas) {
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container container("c1");
    const std::string text = device_config(ipam());
    ASSERT_TRUE(run("ADD", container.port(), text).ok());
    EXPECT_EQ(run("GC", {}, text).code(), 7);
    const Json valid = must(parse_json(R"([{"containerID":"c1","ifname":"eth0"}])"));
    EXPECT_TRUE(run("GC", {}, with(text, "cni.dev/valid-attachments", valid)).ok());
    EXPECT_TRUE(holds("10.1.2.2"));
    EXPECT_TRUE(run("GC", {}, with(text, "cni.dev/valid-attachments", Json::array())).ok());
    EXPECT_FALSE(holds("10.1.2.2"));
  });
}

TEST_P(CniDevice, AnMtuMustFitTheMaster) {
  if (!GetParam().has_master) return;
  in_fresh_netns([&](kernel::Rtnetlink& host) {
    make_master(host);
    const Container container("c1");
    for (const char* mtu : {"-100", "1501", "5000000000"})
      EXPECT_EQ(
          run("ADD", container.port(), device_config(R"(,"mtu":)" + std::string(mtu) + ipam()))
              .message(),
          "invalid MTU " + std::string(mtu) + ", must be [0, master MTU(1500)]");
    const std::string text = device_config(R"(,"mtu":1400)" + ipam());
    ASSERT_TRUE(run("ADD", container.port(), text).ok());
    EXPECT_EQ(link_in(container).mtu, 1400U);
    ASSERT_TRUE(run("DEL", container.port(), text).ok());
    ASSERT_TRUE(run("ADD", container.port(), device_config(ipam())).ok());
    EXPECT_EQ(link_in(container).mtu, 1500U);
  });
}

TEST_P(CniDevice, AMasterThatIsNotThereIsNamed) {
  if (!GetParam().has_master) return;
  in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    EXPECT_EQ(run("ADD", container.port(), device_config(ipam())).message(),
              "failed to lookup master \"master0\": Link not found");
    EXPECT_FALSE(holds("10.1.2.2"));
  });
}

}  // namespace weft::test
