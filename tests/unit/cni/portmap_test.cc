#include <gtest/gtest.h>

#include "cni/plugins/portmap_flows.h"
#include "cni/plugins/portmap_rules.h"
#include "net/nft_plan.h"
#include "unit/cni/call_of.h"
#include "unit/cni/iptables_after.h"

namespace weft::cni {
namespace {

using test::after;

const AttachmentName kName{.network = "n", .container_id = "c1", .ifname = "eth0"};
const InterfaceAddress kContainer = InterfaceAddress::parse("10.1.2.5/24").value();

std::string config(const std::string& members) {
  return R"({"cniVersion":"1.0.0","name":"n","type":"portmap",)" + members + "}";
}
std::string mapping(const std::string& members) {
  return config(R"("runtimeConfig":{"portMappings":[{)" + members + "}]}");
}
std::string refusal(const std::string& text) {
  const CallOf call(text);
  auto read = read_portmap_config(call.call);
  if (!read) return read.error().message;
  const auto settled = settle_backend(*read, true);
  return settled ? "" : settled.error().message;
}

TEST(PortmapConfig, WhatIsRefused) {
  const std::string good = R"("hostPort":8080,"containerPort":80,"protocol":"tcp")";
  EXPECT_EQ(refusal(mapping(good)), "");
  const std::pair<std::string, std::string> kCases[] = {
      {mapping(R"("containerPort":80,"protocol":"tcp")"), "Invalid host port number: 0"},
      {mapping(R"("hostPort":-1,"containerPort":80,"protocol":"tcp")"),
       "Invalid host port number: -1"},
      {mapping(R"("hostPort":65536,"containerPort":80,"protocol":"tcp")"),
       "Invalid host port number: 65536"},
      {mapping(R"("hostPort":80,"protocol":"tcp")"), "Invalid container port number: 0"},
      {mapping(R"("hostPort":80,"containerPort":80,"protocol":"icmp")"),
       "unknown protocol \"icmp\" of host port 80"},
      {config(R"("markMasqBit":32)"), "MasqMarkBit must be between 0 and 31"},
      {config(R"("markMasqBit":1,"externalSetMarkChain":"X")"),
       "Cannot specify externalSetMarkChain and markMasqBit"},
      {config(R"("externalSetMarkChain":"two words")"),
       "\"two words\" is no name of a chain of iptables"},
      {config(R"("backend":"pf")"), "unrecognized backend \"pf\""},
      {config(R"("backend":"nftables","externalSetMarkChain":"X","conditionsV6":["!","-i","a"])"),
       "nftables backend was requested but configuration contains iptables-specific options "
       "[externalSetMarkChain conditionsV6]"},
      {config(R"("conditionsV4":["ip saddr 10.0.0.0/8"])"),
       "iptables backend was requested but configuration contains nftables-specific options "
       "[conditionsV4]"},
      {config(R"("conditionsV4":["-s","10.0.0.0/8\n-A INPUT"])"),
       "conditionsV4 has a line end in it"},
  };
  for (const auto& [text, message] : kCases) EXPECT_EQ(refusal(text), message) << text;
}

PortmapConfig one_port(nft::L4Protocol protocol = nft::L4Protocol::kTcp) {
  return {.mappings = {{.host_port = 8080, .container_port = 80, .protocol = protocol}}};
}

// The edits as iptables-restore would read them.
std::string script(const PortmapConfig& wanted, const PresentChains& present) {
  return restore_script(plan_portmap(wanted, kName, kContainer, present), "nat");
}

TEST(PortmapIptables, NamesAreThoseOfTheGoPlugin) {
  // The names that the Go plugin's own tests expect.
  EXPECT_EQ(container_chain({.network = "test",
                             .container_id = "icee6giejonei6sohng6ahngee7laquoh"
                                             "quee9shiGo7fohferakah3Feiyoolu2pei7c"
                                             "iPhoh7shaoX6vai3vuf0ahfaeng8yohb9ce"
                                             "u0daez5hashee8ooYai5wa3y"},
                            kDnatMark),
            "CNI-DN-67e92b96e692a494b6b85");
}

TEST(PortmapIptables, TheFirstMappingBringsEverything) {
  EXPECT_EQ(script(one_port(), {}),
            R"(*nat
:CNI-HOSTPORT-SETMARK - [0:0]
:CNI-HOSTPORT-MASQ - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
:CNI-DN-9b00b9b7c2795a8a61a6e - [0:0]
-I CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"n\" id: \"c1\"" -m multiport --dports 8080 -j CNI-DN-9b00b9b7c2795a8a61a6e
-I POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000
-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A CNI-DN-9b00b9b7c2795a8a61a6e -s 10.1.2.0/24 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK
-A CNI-DN-9b00b9b7c2795a8a61a6e -s 127.0.0.1/32 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK
-A CNI-DN-9b00b9b7c2795a8a61a6e -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.1.2.5:80
COMMIT
)");
}

TEST(PortmapIptables, ASecondPlanIsEmptyAndARemovalLeavesWhatIsShared) {
  const PresentChains made = after(plan_portmap(one_port(), kName, kContainer, {}), {});
  EXPECT_EQ(plan_portmap(one_port(), kName, kContainer, made), IptablesEdits{});
  const std::string chain = container_chain(kName, kDnatMark);
  const PresentChains left = after(plan_portmap_removal(chain, made), made);
  EXPECT_FALSE(left.contains(chain));
  EXPECT_EQ(left.at(kHostportDnat).size(), 0U);
  EXPECT_EQ(left.at("PREROUTING").size(), 1U);
  EXPECT_EQ(plan_portmap_removal(chain, left), IptablesEdits{});
}

TEST(PortmapIptables, OtherPortsReplaceThoseOfBefore) {
  const PresentChains made = after(plan_portmap(one_port(), kName, kContainer, {}), {});
  PortmapConfig other = one_port();
  other.mappings[0].host_port = 9090;
  const PresentChains changed = after(plan_portmap(other, kName, kContainer, made), made);
  EXPECT_EQ(changed.at(kHostportDnat).size(), 1U);
  EXPECT_EQ(plan_portmap(other, kName, kContainer, changed), IptablesEdits{});
}

TEST(PortmapIptables, StaleContainersAreFoundByTheirComments) {
  const PresentChains made = after(plan_portmap(one_port(), kName, kContainer, {}), {});
  const auto& rules = made.at(kHostportDnat);
  const std::string chain = container_chain(kName, kDnatMark);
  EXPECT_EQ(stale_chains(rules, "n", {}, kDnatComment), std::set<std::string>{chain});
  EXPECT_EQ(stale_chains(rules, "n", {{"c1", "eth0"}}, kDnatComment), std::set<std::string>{});
  EXPECT_EQ(stale_chains(rules, "other", {}, kDnatComment), std::set<std::string>{});
}

TEST(PortmapNftables, ASecondPlanIsEmptyAndTheNewestComesFirst) {
  const auto made = with_hostports(one_port(), kName, kContainer, std::nullopt);
  EXPECT_EQ(nft::plan_table(with_hostports(one_port(), kName, kContainer, made), made).size(), 0U);
  const AttachmentName second{.network = "n", .container_id = "c2", .ifname = "eth0"};
  const auto both = with_hostports(one_port(), second, kContainer, made);
  ASSERT_EQ(both.rules.at("hostports").size(), 2U);
  EXPECT_EQ(both.rules.at("hostports")[0].comment, "c2");
  EXPECT_EQ(both.rules.at("masquerading").size(), 4U);
}

TEST(PortmapNftables, ARuleBelongsToItsAttachment) {
  const auto made = with_hostports(one_port(), kName, kContainer, std::nullopt);
  nft::Rule rule = made.rules.at("hostports")[0];
  EXPECT_TRUE(is_hostport_of(rule, kName));
  AttachmentName elsewhere = kName;
  elsewhere.network = "other";
  EXPECT_FALSE(is_hostport_of(rule, elsewhere));
  rule.owner.clear();  // as the Go plugin writes it
  EXPECT_TRUE(is_hostport_of(rule, elsewhere));
}

TEST(PortmapNftables, ConditionsThatAreUnderstood) {
  for (const char* text : {"ip saddr 10.0.0.0/8", "ip daddr != 192.0.2.1", "iifname eth0",
                           "meta oifname != \"eth*\"", "ip saddr == 10.0.0.1 iifname lo"})
    EXPECT_TRUE(understands_nft_conditions({text}, Family::kIpv4)) << text;
  for (const char* text :
       {"ip6 saddr fd00::/8", "ip saddr", "ip ttl 3", "iifname { a, b }", "limit rate 5/second"})
    EXPECT_FALSE(understands_nft_conditions({text}, Family::kIpv4)) << text;
}

TEST(PortmapFlows, OnlyThoseThatTheMappingIsAbout) {
  const PortMapping udp = one_port(nft::L4Protocol::kUdp).mappings[0];
  const IpAddress host = IpAddress::parse("192.0.2.1").value();
  const std::set<IpAddress> local{host};
  const auto flow = [](const char* to, std::uint16_t port, const char* reached,
                       std::uint16_t reached_port) {
    return ConntrackEntry{.original = {.source = IpAddress::parse("192.0.2.9").value(),
                                       .destination = IpAddress::parse(to).value(),
                                       .protocol = 17,
                                       .source_port = 4000,
                                       .destination_port = port},
                          .reply = {.source = IpAddress::parse(reached).value(),
                                    .destination = IpAddress::parse("192.0.2.9").value(),
                                    .protocol = 17,
                                    .source_port = reached_port,
                                    .destination_port = 4000}};
  };
  const IpAddress& container = kContainer.address;
  EXPECT_TRUE(bypasses(flow("192.0.2.1", 8080, "192.0.2.1", 8080), udp, container, local));
  EXPECT_TRUE(bypasses(flow("192.0.2.1", 8080, "10.1.2.9", 80), udp, container, local));
  EXPECT_TRUE(bypasses(flow("127.0.0.1", 8080, "127.0.0.1", 8080), udp, container, local));
  EXPECT_FALSE(bypasses(flow("192.0.2.1", 8080, "10.1.2.5", 80), udp, container, local));
  EXPECT_FALSE(bypasses(flow("198.51.100.1", 8080, "198.51.100.1", 8080), udp, container, local))
      << "another machine's port";
  EXPECT_FALSE(bypasses(flow("192.0.2.1", 8081, "192.0.2.1", 8081), udp, container, local));
  EXPECT_TRUE(was_made_by(flow("192.0.2.1", 8080, "10.1.2.5", 80), udp, container));
  EXPECT_FALSE(was_made_by(flow("192.0.2.1", 8080, "10.1.2.9", 80), udp, container));
  PortMapping one_address = udp;
  one_address.host_ip = IpAddress::parse("192.0.2.2");
  EXPECT_FALSE(bypasses(flow("192.0.2.1", 8080, "192.0.2.1", 8080), one_address, container, local));
  EXPECT_FALSE(keeps_flows(one_port().mappings[0]));
  EXPECT_TRUE(keeps_flows(udp));
}

}  // namespace
}  // namespace weft::cni
