// ExternalName: aliases that lead out of the cluster, and what stands behind them.
#include <gtest/gtest.h>

#include "dns/any_plugin.h"
#include "dns/kubernetes_plugin.h"
#include "unit/dns/clusters.h"
#include "unit/dns/forwarding.h"

namespace weft::dns {
namespace {

using test::answer_to;
using test::code;
using test::text_of;
using weft::test::DnsUpstream;

constexpr const char* kName = "out.shop.svc.cluster.local";
constexpr const char* kAlias =
    "NOERROR aa\nout.shop.svc.cluster.local. 30 IN CNAME www.example.com.";

class AliasTest : public test::Forwarding {
 protected:
  AliasTest() {
    ZoneBuilder builder(test::zone_options());
    builder.put(test::external_service("shop", "out", "www.example.com"));
    zones_.set(builder.zone(1));
  }
  void start_cluster(const DnsUpstream& upstream) {
    front_.push_back(std::make_unique<AnyPlugin>());
    front_.push_back(std::make_unique<KubernetesPlugin>(zones_, Fallthrough{}));
    start({&upstream}, {.budget = std::chrono::milliseconds(300)});
  }

  Published<ClusterZone> zones_{std::make_shared<const ClusterZone>()};
};

TEST_F(AliasTest, TheTargetIsLookedUpWithIt) {
  const DnsUpstream upstream(test::always("192.0.2.1"));
  start_cluster(upstream);
  EXPECT_EQ(ask(kName), std::string(kAlias) + "\nwww.example.com. 60 IN A 192.0.2.1");
}

TEST_F(AliasTest, WhoAsksForTheAliasAsksNobodyElse) {
  const DnsUpstream upstream(test::always("192.0.2.1"));
  start_cluster(upstream);
  const std::size_t size = send(test::query(kName, RecordType::kCname), 1);
  EXPECT_EQ(text_of({room_.data(), size}), kAlias);
  EXPECT_EQ(upstream.over_udp(), 0U);
}

TEST_F(AliasTest, TheCodeIsTheTargets) {
  const DnsUpstream denying(code(Rcode::kNameError));
  start_cluster(denying);
  EXPECT_EQ(ask(kName), "NXDOMAIN aa\nout.shop.svc.cluster.local. 30 IN CNAME www.example.com.");
}

// The alias alone would say that there is no address.
TEST_F(AliasTest, WithoutTheTargetItFails) {
  const DnsUpstream failing(code(Rcode::kServerFailure));
  start_cluster(failing);
  EXPECT_EQ(ask(kName), "SERVFAIL");
  const DnsUpstream silent(test::silence);
  start_cluster(silent);
  EXPECT_EQ(ask(kName), "SERVFAIL");
}

TEST_F(AliasTest, WhatIsCachedIsTheTarget) {
  const DnsUpstream upstream(test::always("192.0.2.1"));
  cache_ = std::make_shared<ReplyCache>(CacheOptions{});
  start_cluster(upstream);
  const std::string whole = std::string(kAlias) + "\nwww.example.com. 60 IN A 192.0.2.1";
  EXPECT_EQ(ask(kName), whole);
  EXPECT_EQ(ask(kName), whole);
  EXPECT_EQ(ask("www.example.com"), "NOERROR\nwww.example.com. 60 IN A 192.0.2.1");
  EXPECT_EQ(upstream.over_udp(), 1U);
}

TEST_F(AliasTest, AnyGetsOneSmallRecord) {
  const DnsUpstream upstream(test::always("192.0.2.1"));
  start_cluster(upstream);
  for (const char* name : {kName, "www.example.com"}) {
    const std::size_t size = send(test::query(name, RecordType::kAny), 1);
    EXPECT_EQ(
        text_of({room_.data(), size}),
        std::string("NOERROR\n") + name + ". 8482 IN HINFO \"ANY obsoleted\" \"See RFC 8482\"");
  }
  EXPECT_EQ(upstream.over_udp(), 0U);
}

TEST_F(AliasTest, TheSourceIsBoth) {
  const DnsUpstream upstream(test::always("192.0.2.1"));
  start_cluster(upstream);
  EXPECT_EQ(send(test::source_query(kName, RecordType::kA), 1), Handler::kLater);
  ASSERT_TRUE(work_until(1));
  const std::string source = test::source_of(outbox_.sent.at(0).second).value_or("");
  EXPECT_TRUE(source.starts_with("cluster, then upstream 127.0.0.1:")) << source;
}

}  // namespace
}  // namespace weft::dns
