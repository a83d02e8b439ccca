// The ptp plugin on the real kernel: the cases of containernetworking/plugins,
// plugins/main/ptp/ptp_test.go, and what those do not ask.
#include "support/cni_fixture.h"
#include "support/ping.h"

namespace weft {
namespace {

using test::Container;
using test::ContainerPort;
using test::must;
using test::PluginReply;

constexpr const char* kBothFamilies = R"([[{"subnet":"10.1.2.0/24"}],[{"subnet":"fd00:1::/64"}]])";
constexpr const char* kDefaultRoutes = R"(,"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0"}])";

class CniPtp : public test::CniFixture {
 protected:
  std::string ptp(const std::string& more = {}, const char* version = "1.1.0") const {
    return config("ptp", more + ipam(), version);
  }
  std::string dual_stack(const std::string& more = {}) const {
    return config("ptp", more + ipam(kBothFamilies, kDefaultRoutes));
  }
  PluginReply run(const std::string& command, const ContainerPort& port,
                  const std::string& text) const {
    return call("ptp", command, port, text);
  }
  static std::string ruleset() { return must(run_or_fail({.argv = {"nft", "list", "ruleset"}})); }
  static std::string nat() { return must(run_or_fail({.argv = {"iptables", "-t", "nat", "-S"}})); }
  static std::size_t links_of(kernel::Rtnetlink& host) { return must(host.links()).size(); }
};

TEST_F(CniPtp, ConfiguresAndDeconfiguresAPtpLinkWithAddCheckDel) {
  for (const char* version : test::kCniVersions)
    test::in_fresh_netns([&](kernel::Rtnetlink& host) {
      const Container container("c1");
      const PluginReply added = run("ADD", container.port(), ptp(R"(,"mtu":1400)", version));
      ASSERT_TRUE(added.ok()) << added.output;
      EXPECT_EQ(link_in(container).mtu, 1400U);
      const std::string told = added.json["cniVersion"];
      if (told >= "0.3.0") {
        EXPECT_EQ(added.json["ips"][0]["interface"], 1);
        EXPECT_EQ(added.json["interfaces"][1]["sandbox"], container.path());
        EXPECT_EQ(must(host.link(added.json["interfaces"][0]["name"].get<std::string>()))->mtu,
                  1400U);
      }
      EXPECT_TRUE(test::pings(container.netns(), IpAddress::parse("10.1.2.2").value(),
                              IpAddress::parse("10.1.2.1").value()));
      if (told >= "0.4.0") {
        const PluginReply checked =
            run("CHECK", container.port(), with(ptp("", version), "prevResult", added.json));
        EXPECT_TRUE(checked.ok()) << checked.output;
      }
      EXPECT_TRUE(run("DEL", container.port(), ptp("", version)).ok());
      EXPECT_EQ(links_of(host), 1U);
      ASSERT_TRUE(remove_tree(data_.path() + "/n"));
    });
}

TEST_F(CniPtp, ConfiguresADualStackPtpLinkWithRoutes) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    const PluginReply added = run("ADD", container.port(), dual_stack());
    ASSERT_TRUE(added.ok()) << added.output;
    const std::string ipv4 = container.run_inside({"ip", "route"});
    EXPECT_EQ(ipv4,
              "default via 10.1.2.1 dev eth0 \n"
              "10.1.2.0/24 via 10.1.2.1 dev eth0 src 10.1.2.2 \n"
              "10.1.2.1 dev eth0 scope link src 10.1.2.2 \n");
    const std::string ipv6 = container.run_inside({"ip", "-6", "route"});
    EXPECT_NE(ipv6.find("default via fd00:1::1 dev eth0"), std::string::npos) << ipv6;
    EXPECT_NE(ipv6.find("fd00:1::/64 via fd00:1::1 dev eth0 src fd00:1::2"), std::string::npos)
        << ipv6;
    EXPECT_TRUE(test::pings(container.netns(), IpAddress::parse("10.1.2.2").value(),
                            IpAddress::parse("10.1.2.1").value()));
    EXPECT_TRUE(test::pings(container.netns(), IpAddress::parse("fd00:1::2").value(),
                            IpAddress::parse("fd00:1::1").value()));
    const PluginReply checked =
        run("CHECK", container.port(), with(dual_stack(), "prevResult", added.json));
    EXPECT_TRUE(checked.ok()) << checked.output;
    EXPECT_TRUE(run("DEL", container.port(), dual_stack()).ok());
    EXPECT_EQ(links_of(host), 1U);
  });
}

TEST_F(CniPtp, ContainersReachEachOtherThroughTheHost) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container one("c1");
    const Container two("c2");
    ASSERT_TRUE(run("ADD", one.port(), dual_stack()).ok());
    ASSERT_TRUE(run("ADD", two.port(), dual_stack()).ok());
    EXPECT_TRUE(test::pings(one.netns(), IpAddress::parse("10.1.2.2").value(),
                            IpAddress::parse("10.1.2.3").value()));
    EXPECT_TRUE(test::pings(one.netns(), IpAddress::parse("fd00:1::2").value(),
                            IpAddress::parse("fd00:1::3").value()));
  });
}

TEST_F(CniPtp, MasqueradingWithIptablesAndWithNftables) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    struct {
      const char* backend;
      std::string (*rules)();
      const char* rule;
    } const cases[] = {{"iptables", nat, "-A POSTROUTING -s 10.1.2."},
                       {"nftables", ruleset, "ip saddr 10.1.2."}};
    for (const auto& c : cases) {
      const Container container("c1");
      const std::string text =
          ptp(R"(,"ipMasq":true,"ipMasqBackend":")" + std::string(c.backend) + "\"");
      ASSERT_TRUE(run("ADD", container.port(), text).ok());
      EXPECT_NE(c.rules().find(c.rule), std::string::npos) << c.rules();
      // The addresses that the rules name can no longer be asked for.
      ContainerPort gone = container.port();
      gone.netns.clear();
      EXPECT_TRUE(run("DEL", gone, text).ok());
      EXPECT_EQ(c.rules().find(c.rule), std::string::npos) << c.rules();
    }
  });
}

TEST_F(CniPtp, DnsOfIpamUnlessTheConfigurationHasOne) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const auto dns_of = [&](const std::string& member) {
      const Container container("c1");
      const PluginReply added = run("ADD", container.port(),
                                    config("ptp", member + R"(,"ipam":{"type":"static","addresses":[
              {"address":"10.1.2.5/24","gateway":"10.1.2.1"}],
              "dns":{"nameservers":["10.0.0.1"],"search":["a.example"]}})"));
      EXPECT_TRUE(added.ok()) << added.output;
      EXPECT_TRUE(run("DEL", container.port(), config("ptp", "")).ok());
      return added.json.contains("dns") ? to_text(added.json["dns"]) : "";
    };
    const std::string of_ipam = R"({"nameservers":["10.0.0.1"],"search":["a.example"]})";
    EXPECT_EQ(dns_of(""), of_ipam);
    EXPECT_EQ(dns_of(R"(,"dns":{})"), of_ipam);
    EXPECT_EQ(dns_of(R"(,"dns":{"domain":"b.example"})"), R"({"domain":"b.example"})");
    // An empty list is something, too.
    EXPECT_EQ(dns_of(R"(,"dns":{"nameservers":[]})"), "");
  });
}

TEST_F(CniPtp, DeconfiguresAnUnconfiguredPtpLinkWithDel) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container container("c1");
    EXPECT_TRUE(run("DEL", container.port(), ptp(R"(,"ipMasq":true)")).ok());
    EXPECT_TRUE(run("DEL", {.netns = "/no/such/path"}, ptp()).ok());
  });
}

TEST_F(CniPtp, WithoutIpamOrGatewayItIsRefusedAndNothingStays) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    EXPECT_EQ(run("ADD", container.port(), config("ptp", "")).message(), "no plugin name provided");
    const PluginReply added =
        run("ADD", container.port(), config("ptp", R"(,"ipam":{"type":"static",
                                      "addresses":[{"address":"10.1.2.5/24"}]})"));
    EXPECT_NE(added.message().find("IPAM plugin returned no gateway for 10.1.2.5/24"),
              std::string::npos)
        << added.output;
    EXPECT_EQ(
        run("ADD", container.port(), config("ptp", R"(,"ipam":{"type":"static","addresses":[]})"))
            .message(),
        "IPAM plugin returned missing IP config");
    EXPECT_EQ(links_of(host), 1U);
  });
}

TEST_F(CniPtp, AFailureAfterIpamTakesLinkLeaseAndRulesBack) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    const std::string text =
        config("ptp", R"(,"ipMasq":true)" + ipam(kBothFamilies, R"(,"routes":[{"dst":"10.9.0.0/16",
                                                            "gw":"192.0.2.7"}])"));
    EXPECT_FALSE(run("ADD", container.port(), text).ok());
    EXPECT_EQ(links_of(host), 1U);
    EXPECT_FALSE(has_link(container, "eth0"));
    EXPECT_FALSE(holds("10.1.2.2"));
    EXPECT_EQ(ruleset().find("c1"), std::string::npos);
  });
}

TEST_F(CniPtp, ARouteThatAFormerHolderLeftIsReplaced) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    must(host.create(
        {.name = "old", .kind = "veth", .up = true, .peer = kernel::VethPeer{.name = "older"}}));
    must(host.put({.key = main_route(Prefix::parse("10.1.2.2/32").value()),
                   .scope = RouteScope::kHost,
                   .hops = {{.link = must(host.link("old"))->index}}}));
    const Container container("c1");
    ASSERT_TRUE(run("ADD", container.port(), ptp()).ok());
    EXPECT_TRUE(test::pings(container.netns(), IpAddress::parse("10.1.2.2").value(),
                            IpAddress::parse("10.1.2.1").value()));
  });
}

TEST_F(CniPtp, CheckLooksAtBothEnds) {
  test::in_fresh_netns([&](kernel::Rtnetlink& host) {
    const Container container("c1");
    const PluginReply added = run("ADD", container.port(), ptp());
    ASSERT_TRUE(added.ok());
    const std::string checked = with(ptp(), "prevResult", added.json);
    const std::string end = added.json["interfaces"][0]["name"];
    const Link link = must(host.link(end)).value();
    must(host.remove(Route{.key = main_route(Prefix::parse("10.1.2.2/32").value()),
                           .scope = RouteScope::kHost,
                           .hops = {{.link = link.index}}}));
    EXPECT_EQ(run("CHECK", container.port(), checked).message(),
              "Failed to find route for 10.1.2.2/32 on host interface " + end);
    must(host.change(link.index, {.mac = MacAddress::parse("02:00:00:00:00:77")}));
    EXPECT_NE(run("CHECK", container.port(), checked).message().find("Host interface " + end),
              std::string::npos);
    must(host.remove(link.index));
    EXPECT_EQ(run("CHECK", container.port(), checked).message(),
              "Container Interface name eth0 not found");
  });
}

TEST_F(CniPtp, GcReleasesAddressesAndRules) {
  test::in_fresh_netns([&](kernel::Rtnetlink&) {
    const Container one("c1");
    const Container two("c2");
    const std::string text = ptp(R"(,"ipMasq":true,"ipMasqBackend":"nftables")");
    ASSERT_TRUE(run("ADD", one.port(), text).ok());
    ASSERT_TRUE(run("ADD", two.port(), text).ok());
    EXPECT_TRUE(run("STATUS", {}, text).ok());
    EXPECT_EQ(run("GC", {}, text).code(), 7);
    const Json valid = must(parse_json(R"([{"containerID":"c2","ifname":"eth0"}])"));
    EXPECT_TRUE(run("GC", {}, with(text, "cni.dev/valid-attachments", valid)).ok());
    EXPECT_FALSE(holds("10.1.2.2"));
    EXPECT_TRUE(holds("10.1.2.3"));
    EXPECT_EQ(ruleset().find("id: c1"), std::string::npos);
    EXPECT_NE(ruleset().find("id: c2"), std::string::npos);
  });
}

}  // namespace
}  // namespace weft
