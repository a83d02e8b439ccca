#include "dns/responder.h"

#include <gtest/gtest.h>

#include "dns/kubernetes_plugin.h"
#include "unit/dns/clusters.h"

namespace weft::dns {
namespace {

using test::cluster_service;
using test::edns_query;
using test::external_service;
using test::option;
using test::query;
using test::text_of;

// Answers every name with one address, or drops it.
class Fixed : public Plugin {
 public:
  explicit Fixed(const char* address, Step step = Step::kReply)
      : address_(*IpAddress::parse(address)), step_(step) {}
  Step serve(Exchange& exchange) override {
    exchange.writer.record(Section::kAnswer, exchange.name.wire(), RecordType::kA, 1,
                           [&](RecordData& data) { data.bytes(address_.bytes()); });
    return step_;
  }

 private:
  IpAddress address_;
  Step step_;
};

ServerBlock block(const char* zone, std::unique_ptr<Plugin> plugin) {
  ServerBlock result;
  result.zones = {*Name::parse(zone)};
  if (plugin != nullptr) result.plugins.push_back(std::move(plugin));
  return result;
}

std::string reply_to(Responder& responder, const std::string& message, bool over_tcp = false) {
  std::array<char, kLargestMessage> room;
  const Client client{.address = *IpAddress::parse("10.4.0.1"), .port = 5353, .over_tcp = over_tcp};
  return {room.data(), responder.handle(message, client, room)};
}

TEST(Responder, TheBlockOfTheLongestZoneAnswers) {
  std::vector<ServerBlock> blocks;
  blocks.push_back(block(".", std::make_unique<Fixed>("10.0.0.1")));
  blocks.push_back(block("example.com", std::make_unique<Fixed>("10.0.0.2")));
  blocks.push_back(block("a.example.com", std::make_unique<Fixed>("10.0.0.3")));
  Responder responder(std::move(blocks), {});
  const auto answer = [&](const char* name) {
    const std::string text = text_of(reply_to(responder, query(name, RecordType::kA)));
    return text.substr(text.rfind(' ') + 1);
  };
  EXPECT_EQ(answer("org"), "10.0.0.1");
  EXPECT_EQ(answer("."), "10.0.0.1");
  EXPECT_EQ(answer("example.com"), "10.0.0.2");
  EXPECT_EQ(answer("xa.example.com"), "10.0.0.2");
  EXPECT_EQ(answer("x.A.example.COM"), "10.0.0.3");
}

TEST(Responder, WhatNobodyAnswersIsRefusedOrFails) {
  std::vector<ServerBlock> blocks;
  blocks.push_back(block("example.com", nullptr));
  blocks.push_back(block("drop", std::make_unique<Fixed>("10.0.0.1", Step::kDrop)));
  blocks.push_back(block("next", std::make_unique<Fixed>("10.0.0.1", Step::kNext)));
  Responder responder(std::move(blocks), {});
  EXPECT_EQ(text_of(reply_to(responder, query("org", RecordType::kA))), "REFUSED");
  EXPECT_EQ(text_of(reply_to(responder, query("example.com", RecordType::kA))), "SERVFAIL");
  EXPECT_EQ(text_of(reply_to(responder, query("next", RecordType::kA))), "SERVFAIL")
      << "what a plugin has begun is not sent";
  EXPECT_EQ(reply_to(responder, query("drop", RecordType::kA)), "");
  EXPECT_EQ(reply_to(responder, "short"), "");
  EXPECT_EQ(text_of(reply_to(responder, edns_query("org", RecordType::kA, {.version = 1}))),
            "NOERROR")
      << "the lower bits of BADVERS, whose upper ones stand in the OPT record";
}

TEST(Responder, OverTcpAnAnswerMayBeLargeAndTheIdleTimeIsTold) {
  std::vector<ServerBlock> blocks;
  blocks.push_back(block(".", std::make_unique<Fixed>("10.0.0.1")));
  Responder responder(std::move(blocks), {.server_id = "node1", .idle_deciseconds = 100});
  const std::string asked =
      edns_query("a", RecordType::kA, {.options = option(3, "") + option(11, "")});
  const std::string udp = reply_to(responder, asked);
  const std::string tcp = reply_to(responder, asked, true);
  EXPECT_TRUE(udp.ends_with(option(3, "node1")));
  EXPECT_TRUE(tcp.ends_with(option(11, test::word(100))));
}

class KubernetesPluginTest : public ::testing::Test {
 protected:
  KubernetesPluginTest() : builder_(test::zone_options()), zones_(builder_.zone(1)) {
    builder_.put(cluster_service("default", "kubernetes", {"10.96.0.1"}));
    builder_.put(external_service("default", "egg", "hen.default.svc.cluster.local"));
    builder_.put(external_service("default", "hen", "egg.default.svc.cluster.local"));
  }

  // What a block with the plugin, and behind it one that answers everything, says.
  std::string ask(const char* name, RecordType type = RecordType::kA, bool fall_through = false) {
    zones_.set(builder_.zone(1));
    Fallthrough zones;
    if (fall_through) zones.push_back(*Name::parse("in-addr.arpa"));
    ServerBlock all = block(".", std::make_unique<KubernetesPlugin>(zones_, std::move(zones)));
    all.plugins.push_back(std::make_unique<Fixed>("192.0.2.1"));
    std::vector<ServerBlock> blocks;
    blocks.push_back(std::move(all));
    Responder responder(std::move(blocks), {});
    last_ = reply_to(responder, edns_query(name, type));
    return text_of(last_);
  }

  ZoneBuilder builder_;
  Published<ClusterZone> zones_;
  std::string last_;
};

TEST_F(KubernetesPluginTest, AnswersWithAuthority) {
  builder_.set_complete();
  EXPECT_EQ(ask("kubernetes.default.svc.cluster.local"),
            "NOERROR aa\nkubernetes.default.svc.cluster.local. 30 IN A 10.96.0.1");
  EXPECT_EQ(ask("no.default.svc.cluster.local").substr(0, 44),
            "NXDOMAIN aa\nauth cluster.local. 30 IN SOA ns");
  EXPECT_EQ(ask("example.com"), "NOERROR\nexample.com. 1 IN A 192.0.2.1");
}

TEST_F(KubernetesPluginTest, OnlyWhatIsNotThereFallsThrough) {
  builder_.set_complete();
  EXPECT_TRUE(ask("9.0.0.10.in-addr.arpa", RecordType::kPtr).starts_with("NXDOMAIN aa"));
  EXPECT_EQ(ask("9.0.0.10.in-addr.arpa", RecordType::kPtr, true),
            "NOERROR\n9.0.0.10.in-addr.arpa. 1 IN A 192.0.2.1");
  EXPECT_EQ(ask("1.0.96.10.in-addr.arpa", RecordType::kPtr, true),
            "NOERROR aa\n1.0.96.10.in-addr.arpa. 30 IN PTR kubernetes.default.svc.cluster.local.");
  EXPECT_TRUE(ask("no.default.svc.cluster.local", RecordType::kA, true).starts_with("NXDOMAIN"));
}

// An NXDOMAIN of a server that has just started would be kept by every cache below it.
TEST_F(KubernetesPluginTest, BeforeTheFirstListNothingIsDenied) {
  EXPECT_EQ(ask("kubernetes.default.svc.cluster.local"),
            "NOERROR aa\nkubernetes.default.svc.cluster.local. 30 IN A 10.96.0.1");
  EXPECT_EQ(ask("no.default.svc.cluster.local"), "SERVFAIL");
  EXPECT_NE(last_.find("have not been read"), std::string::npos);
}

TEST_F(KubernetesPluginTest, CirclesAndTransfersAreRefusedWithAReason) {
  EXPECT_EQ(ask("egg.default.svc.cluster.local"), "SERVFAIL");
  EXPECT_NE(last_.find("circle"), std::string::npos);
  EXPECT_EQ(ask("cluster.local", RecordType::kAxfr), "REFUSED");
}

}  // namespace
}  // namespace weft::dns
