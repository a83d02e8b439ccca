// The bandwidth plugin: the cases of the reference plugin's suite under their names, real traffic,
// and what it leaves when something goes wrong.
#include <gtest/gtest.h>

#include "cni/plugins/bandwidth_config.h"
#include "kernel/traffic_control.h"
#include "support/cni_wire.h"
#include "support/traffic.h"
#include "unit/cni/call_of.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::PluginReply;
using test::WeftPlugins;

constexpr const char* kBoth =
    R"(,"ingressRate":8000000,"ingressBurst":524288,"egressRate":16000000,"egressBurst":524288)";
const TokenBucket kIngress = token_bucket(1'000'000, 65'536);
const TokenBucket kEgress = token_bucket(2'000'000, 65'536);

std::string config(const std::string& members, const std::string& version = "1.1.0") {
  return R"({"cniVersion":")" + version + R"(","name":"n","type":"bandwidth")" + members + "}";
}

std::string ifb_of(const std::string& id) {
  cni::CallOf call(config(""));
  call.environment.container_id = id;
  return cni::ifb_name(call.call);
}

class CniBandwidth : public testing::Test {
 protected:
  PluginReply call(const char* command, const ContainerPort& port, const std::string& text) const {
    return weft_.folder().call("bandwidth", command, port, text);
  }
  PluginReply add(const Container& container, const std::string& text,
                  const test::Wire& wire = {}) const {
    return call("ADD", container.port(wire.ifname),
                test::chained(text, test::result_of(container, wire)));
  }
  static std::optional<TokenBucket> bucket_of(kernel::Rtnetlink& host, const std::string& device) {
    const auto link = must(host.link(device));
    if (!link) return std::nullopt;
    auto route = must(kernel::NetlinkSocket::open(NETLINK_ROUTE));
    for (const auto& qdisc : must(kernel::list_qdiscs(route, link->index)))
      if (qdisc.token_bucket) return qdisc.token_bucket;
    return std::nullopt;
  }
  static std::size_t redirects(kernel::Rtnetlink& host, const std::string& device) {
    auto route = must(kernel::NetlinkSocket::open(NETLINK_ROUTE));
    return must(kernel::list_redirects(route, must(host.link(device))->index, TcHandle::kIngress))
        .size();
  }

  WeftPlugins weft_;
};

TEST_F(CniBandwidth, WorksWithAVethPair) {
  for (const char* version : {"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"})
    test::in_fresh_netns([&](kernel::Rtnetlink& host) {
      const Container container("c1");
      test::lay(host, container, {});
      const PluginReply added = add(container, config(kBoth, version));
      ASSERT_TRUE(added.ok()) << added.output;
      EXPECT_EQ(added.json["cniVersion"], version);
      ASSERT_EQ(added.json["interfaces"].size(), 3U);
      EXPECT_EQ(added.json["interfaces"][2]["name"], ifb_of("c1"));
      EXPECT_EQ(bucket_of(host, "host0"), kIngress);
      EXPECT_EQ(bucket_of(host, ifb_of("c1")), kEgress);
      EXPECT_EQ(redirects(host, "host0"), 1U);
      EXPECT_EQ(must(host.link(ifb_of("c1")))->mtu, must(host.link("host0"))->mtu);
      const std::string chained = test::chained(config(kBoth, version), added.json);
      if (version[0] == '1' || version[2] == '4') {
        const PluginReply checked = call("CHECK", container.port(), chained);
        EXPECT_TRUE(checked.ok()) << checked.output;
      }
      for (int i = 0; i < 2; ++i) EXPECT_TRUE(call("DEL", container.port(), chained).ok());
      EXPECT_FALSE(must(host.link(ifb_of("c1"))));
    });
}

TEST_F(CniBandwidth, DoesNotApplyIngressWhenDisabled) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    ASSERT_TRUE(add(container, config(R"(,"ingressRate":0,"ingressBurst":0,
                                         "egressRate":16000000,"egressBurst":524288)"))
                    .ok());
    EXPECT_FALSE(bucket_of(host, "host0"));
    EXPECT_EQ(bucket_of(host, ifb_of("c1")), kEgress);
  });
}

TEST_F(CniBandwidth, DoesNotApplyEgressWhenDisabled) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    const PluginReply added =
        add(container, config(R"(,"ingressRate":8000000,"ingressBurst":524288)"));
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["interfaces"].size(), 2U);
    EXPECT_EQ(bucket_of(host, "host0"), kIngress);
    EXPECT_FALSE(must(host.link(ifb_of("c1"))));
  });
}

TEST_F(CniBandwidth, FailsAnInvalidConfiguration) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    EXPECT_EQ(add(container, config(R"(,"ingressRate":0,"ingressBurst":123)")).message(),
              "if burst is set, rate must also be set");
    EXPECT_EQ(add(container, config(R"(,"egressRate":123456)")).message(),
              "if rate is set, burst must also be set");
    EXPECT_EQ(add(container, config(kBoth, "0.2.0")).code(), 1);
  });
}

TEST_F(CniBandwidth, WorksWithTheRuntimesConfigurationAndTheStaticOneWins) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const std::string runtime = R"(,"runtimeConfig":{"bandwidth":{"ingressRate":8000000,
                                                                  "ingressBurst":524288}})";
    const Container container("c1");
    test::lay(host, container, {});
    ASSERT_TRUE(add(container, config(runtime)).ok());
    EXPECT_EQ(bucket_of(host, "host0"), kIngress);
    const Container second("c2");
    const test::Wire wire{.host_name = "host1"};
    test::lay(host, second, wire);
    ASSERT_TRUE(
        add(second, config(runtime + R"(,"ingressRate":16000000,"ingressBurst":524288)"), wire)
            .ok());
    EXPECT_EQ(bucket_of(host, "host1"), kEgress);
  });
}

TEST_F(CniBandwidth, WithoutLimitsThePreviousResultIsPassedOn) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    const PluginReply added = add(container, config(""));
    ASSERT_TRUE(added.ok()) << added.output;
    EXPECT_EQ(added.json["interfaces"].size(), 2U);
    EXPECT_TRUE(call("CHECK", container.port(), test::chained(config(""), added.json)).ok());
    EXPECT_TRUE(call("DEL", container.port(), config("")).ok());
  });
}

TEST_F(CniBandwidth, FindsTheHostsEndAmongSeveral) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    const test::Wire second{.ifname = "net1", .host_name = "host1", .addresses = {}};
    test::lay(host, container, second);
    Json result = test::result_of(container, {});
    for (const auto& interface : test::result_of(container, second)["interfaces"])
      result["interfaces"].insert(result["interfaces"].begin(), interface);
    result["ips"] = Json::array();
    ASSERT_TRUE(call("ADD", container.port(), test::chained(config(kBoth), result)).ok());
    EXPECT_EQ(bucket_of(host, "host0"), kIngress);
    EXPECT_FALSE(bucket_of(host, "host1"));
  });
}

TEST_F(CniBandwidth, FailsWithoutAHostsEnd) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    const auto message = [&](const Json& result, const char* ifname = "eth0") {
      return call("ADD", container.port(ifname), test::chained(config(kBoth), result)).message();
    };
    Json result = test::result_of(container, {});
    EXPECT_NE(message(result, "lo").find("container interface lo has no veth peer: "),
              std::string::npos);
    EXPECT_NE(message(result, "net7").find("container interface net7 has no veth peer: "),
              std::string::npos);
    result["interfaces"][0]["name"] = "other";
    EXPECT_EQ(message(result), "no veth peer of container interface found in host ns");
    result["interfaces"] = Json::array();
    result["ips"] = Json::array();
    EXPECT_EQ(message(result), "no interfaces provided");
    EXPECT_EQ(call("ADD", container.port(), config(kBoth)).message(),
              "must be called as chained plugin");
    EXPECT_EQ(call("CHECK", container.port(), config(kBoth)).message(),
              "must be called as a chained plugin");
  });
}

TEST_F(CniBandwidth, AFailureLeavesNothing) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    // Somebody else's device has the name.
    must(host.create({.name = ifb_of("c1"), .kind = "ifb"}));
    EXPECT_NE(add(container, config(kBoth)).message().find("adding link: "), std::string::npos);
    EXPECT_FALSE(bucket_of(host, "host0"));
    must(host.remove(must(host.link(ifb_of("c1")))->index));
    // A discipline where ours should be.
    must(run_or_fail({.argv = {"tc", "qdisc", "add", "dev", "host0", "ingress"}}));
    EXPECT_NE(add(container, config(kBoth)).message().find("create ingress qdisc"),
              std::string::npos);
    EXPECT_FALSE(bucket_of(host, "host0"));
    EXPECT_FALSE(must(host.link(ifb_of("c1"))));
    must(run_or_fail({.argv = {"tc", "qdisc", "del", "dev", "host0", "ingress"}}));
    EXPECT_TRUE(add(container, config(kBoth)).ok());
  });
}

TEST_F(CniBandwidth, TwoInterfacesOfAContainerInOneNetwork) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    const test::Wire second{.ifname = "net1", .host_name = "host1", .addresses = {"10.1.3.2/24"}};
    test::lay(host, container, {});
    test::lay(host, container, second);
    ASSERT_TRUE(add(container, config(kBoth)).ok());
    const PluginReply added = add(container, config(kBoth), second);
    ASSERT_TRUE(added.ok()) << added.output;
    const std::string name = added.json["interfaces"][2]["name"];
    EXPECT_NE(name, ifb_of("c1"));
    EXPECT_TRUE(
        call("CHECK", container.port("net1"), test::chained(config(kBoth), added.json)).ok());
    EXPECT_TRUE(call("DEL", container.port("eth0"), config("")).ok());
    EXPECT_EQ(bucket_of(host, name), kEgress);
    EXPECT_TRUE(call("DEL", container.port("net1"), config("")).ok());
    EXPECT_FALSE(must(host.link(name)));
  });
}

TEST_F(CniBandwidth, DelWithoutNamespaceVethAddOrGoodConfiguration) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    EXPECT_TRUE(call("DEL", container.port(), config(kBoth)).ok());
    for (const char* path : {"", "/no/such/path"}) {
      test::lay(host, container, {});
      ASSERT_TRUE(add(container, config(kBoth)).ok());
      must(host.remove(must(host.link("host0"))->index));
      ContainerPort gone = container.port();
      gone.netns = path;
      EXPECT_TRUE(call("DEL", gone, config(R"(,"ingressRate":"wrong")")).ok());
      EXPECT_FALSE(must(host.link(ifb_of("c1"))));
    }
  });
}

TEST_F(CniBandwidth, CheckFindsWhatWasBroken) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    test::lay(host, container, {});
    const PluginReply added = add(container, config(kBoth));
    const auto message = [&](const std::string& members = kBoth) {
      return call("CHECK", container.port(), test::chained(config(members), added.json)).message();
    };
    ASSERT_EQ(message(), "");
    EXPECT_EQ(message(R"(,"ingressRate":16000000,"ingressBurst":524288)"), "Rate doesn't match");
    EXPECT_EQ(message(R"(,"ingressRate":8000000,"ingressBurst":524280)"), "Limit doesn't match");
    must(run_or_fail({.argv = {"tc", "qdisc", "del", "dev", "host0", "ingress"}}));
    EXPECT_NE(message().find("Failed to find the filter that redirects"), std::string::npos);
    must(run_or_fail({.argv = {"tc", "qdisc", "del", "dev", "host0", "root"}}));
    EXPECT_EQ(message(), "Failed to find qdisc");
  });
}

TEST_F(CniBandwidth, GcRemovesTheDevicesOfItsNetworkAlone) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container containers[] = {Container("c1"), Container("c2"), Container("c3")};
    std::string other = config(kBoth);
    other.replace(other.find(R"("n")"), 3, R"("m")");
    for (std::size_t i = 0; i < 3; ++i) {
      const test::Wire wire{.host_name = "host" + std::to_string(i)};
      test::lay(host, containers[i], wire);
      ASSERT_TRUE(add(containers[i], i == 2 ? other : config(kBoth), wire).ok());
    }
    must(host.create({.name = "ifb9", .kind = "ifb"}));
    const auto devices = [&] {
      std::size_t count = 0;
      for (const auto& link : must(host.links())) count += link.kind == "ifb";
      return count;
    };
    EXPECT_EQ(call("GC", {}, config("")).code(), 7);
    EXPECT_EQ(devices(), 4U);
    ASSERT_TRUE(call("GC", {}, config(R"(,"cni.dev/valid-attachments":[
                                {"containerID":"c1","ifname":"eth0"}])"))
                    .ok());
    EXPECT_EQ(devices(), 3U);
    EXPECT_TRUE(must(host.link(ifb_of("c1"))));
    EXPECT_FALSE(must(host.link(ifb_of("c2"))));
  });
}

// How long a stream takes through the wire, in either direction.
struct Times {
  std::chrono::duration<double> to_container;
  std::chrono::duration<double> from_container;
};

Times stream_times(const test::Pod& host, const test::Pod& container) {
  constexpr std::size_t kBytes = 1'500'000;
  const auto timed = [&](const test::Pod& from, const test::Pod& to) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(test::streams(from, to, kBytes));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start);
  };
  return {.to_container = timed(host, container), .from_container = timed(container, host)};
}

// A bucket lets through what it holds and then its rate: a bound that no machine can beat.
TEST_F(CniBandwidth, LimitsOnlyTheRestrictedContainer) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    for (const bool limited : {false, true}) {
      const Container container("c1");
      const test::Wire wire{};
      test::lay(host, container, wire);
      const LinkIndex port = must(host.link(wire.host_name))->index;
      must(host.add(
          {.key = {.link = port, .address = InterfaceAddress::parse("10.1.2.1/24").value()}}));
      ASSERT_TRUE(!limited || add(container, config(kBoth)).ok());
      const test::Pod here{must(kernel::Netns::current()), IpAddress::parse("10.1.2.1").value()};
      const test::Pod there{must(kernel::Netns::open(container.path())),
                            IpAddress::parse("10.1.2.2").value()};
      const Times times = stream_times(here, there);
      if (limited) {
        EXPECT_GT(times.to_container.count(), 1.2);    // 1.5 MB at 1 MB/s, less the burst
        EXPECT_GT(times.from_container.count(), 0.6);  // at 2 MB/s
      } else {
        EXPECT_LT(times.to_container.count(), 1.0);
        EXPECT_LT(times.from_container.count(), 0.5);
      }
      must(host.remove(port));
    }
  });
}

}  // namespace
}  // namespace weft
