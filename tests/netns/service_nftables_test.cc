// The table of the service proxy in the kernel: what stock nft says of it, and what becomes of
// real packets.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "kernel/nftables.h"
#include "service/nft_services.h"
#include "support/service_node.h"

namespace weft::service {
namespace {

using namespace test;
using weft::test::ask;
using weft::test::hears_nothing;
using weft::test::must;
using weft::test::ServiceLab;
using weft::test::Space;

// The table in one space, as the proxy keeps it.
class Table {
 public:
  Table(const Space& space, RuleOptions options)
      : options_(std::move(options)),
        nftables_(space.in([] { return must(kernel::Nftables::open()); })),
        services_(options_) {
    repair();
  }

  void put(const Service& service, const std::vector<Endpoint>& endpoints) {
    std::vector<nft::TableEdit> edits;
    services_.put(service.name, service.created, planned(service, endpoints), edits);
    apply(edits);
  }
  void remove(const ServiceName& name) {
    std::vector<nft::TableEdit> edits;
    services_.remove(name, edits);
    apply(edits);
  }
  ServicePlan planned(const Service& service, const std::vector<Endpoint>& endpoints) const {
    EndpointSlice of_service = slice(endpoints, service.name.name + "-1", options_.family);
    of_service.service = service.name.name;
    return plan(service, {of_service}, {.node = kHere}, options_.family);
  }

  // What would have to be done to make the kernel's table what it should be.
  std::vector<std::string> repair() { return must(nftables_.apply(services_.whole())); }
  // As a proxy that starts finds it.
  NftInheritance inheritance() {
    return {must(nftables_.read(service_table(options_.family))).value(), options_.family};
  }
  kernel::Nftables& nftables() { return nftables_; }
  NftServices& services() { return services_; }

 private:
  void apply(const std::vector<nft::TableEdit>& edits) {
    must(nftables_.apply_edits(service_table(options_.family), edits));
    EXPECT_EQ(repair(), std::vector<std::string>{});
  }

  const RuleOptions options_;
  kernel::Nftables nftables_;
  NftServices services_;
};

std::string family_name(Family family) {
  return family == Family::kIpv4 ? "Ipv4" : "Ipv6";
}

class NftablesService : public testing::TestWithParam<Family> {
 protected:
  Family family() const { return GetParam(); }
  IpAddress cluster_ip() const { return VerdictAddresses::of(family()).cluster; }
  Endpoint here() const { return endpoint(lab_.pod(1, 10).to_string(), "here"); }
  Endpoint here_too() const { return endpoint(lab_.pod(1, 11).to_string(), "here"); }
  Endpoint there() const { return endpoint(lab_.pod(2, 10).to_string()); }
  Service sticky(int seconds = 60) const {
    return with(exposed(family()),
                [&](Service& s) { s.client_affinity = std::chrono::seconds(seconds); });
  }
  std::string listed() const { return lab_.node.run({"nft", "list", "ruleset"}); }
  ServiceLab lab_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Service, NftablesService, testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& param) { return family_name(param.param); });

TEST_P(NftablesService, TheTableIsSilentOnceItIsRight) {
  Table table(lab_.node, rule_options(family()));
  EXPECT_EQ(table.repair(), std::vector<std::string>{});
  table.put(sticky(), {here(), there()});
  table.remove(web().name);
  table.put(sticky(), {here()});
}

TEST_P(NftablesService, StockNftPrintsTheTableAndLoadsItAgain) {
  Table table(lab_.node, rule_options(family()));
  Service restricted = exposed(family());
  restricted.has_source_ranges = true;
  restricted.load_balancer_source_ranges = {Prefix(lab_.uplink(2, 0), 24)};
  table.put(restricted, {here(), there()});
  const std::string text = listed();
  const std::string address = family() == Family::kIpv4 ? "ip daddr" : "ip6 daddr";
  EXPECT_NE(text.find("typeof " + address +
                      " . meta l4proto . th dport . numgen random mod 65536 : " + address +
                      " . th dport"),
            std::string::npos)
      << text;
  EXPECT_EQ((Pick{.count = 2, .shard = 10}.number()), 0xa8c50002);
  EXPECT_NE(text.find(cluster_ip().to_string() + " . udp . 80 : 0xa8c50002"), std::string::npos)
      << text;
  EXPECT_NE(text.find(cluster_ip().to_string() + " . udp . 80 . 1 : "), std::string::npos) << text;
  EXPECT_NE(text.find("numgen random mod 2 map @endpoints-a"), std::string::npos) << text;
  EXPECT_NE(text.find("map @services"), std::string::npos) << text;
  // A host that saves its ruleset can load it again.
  lab_.node.sh("nft flush ruleset");
  lab_.node.run({"nft", "-f", "-"}, text);
  table.repair();
  table.put(outside_local(sticky()), {here(), there()});
  EXPECT_NE(listed().find("update @affinity"), std::string::npos) << listed();
}

TEST_P(NftablesService, UnknownPortsAreRefusedAndUnknownAddressesAreSilent) {
  Table table(lab_.node, rule_options(family()));
  table.put(inner(family()), {here()});
  const IpAddress unallocated = cluster_ip().plus(1).value();
  for (const Space* from : {&lab_.pod_client, &lab_.client, &lab_.node}) {
    EXPECT_EQ(ask(*from, cluster_ip(), 81), "refused");
    EXPECT_TRUE(hears_nothing(*from, unallocated, 80));
  }
}

TEST_P(NftablesService, OnlyAllowedSourcesReachTheLoadBalancersAddress) {
  Table table(lab_.node, rule_options(family()));
  Service service = exposed(family());
  service.has_source_ranges = true;
  service.load_balancer_source_ranges = {Prefix::host(lab_.uplink(2, 9))};
  const IpAddress address = service.load_balancer_ips[0];
  table.put(service, {here()});
  EXPECT_EQ(ask(lab_.client, address, 80).substr(0, 4), "here");
  EXPECT_TRUE(hears_nothing(lab_.other, address, 80));
  EXPECT_EQ(ask(lab_.other, service.external_ips[0], 80).substr(0, 4), "here");
  table.put(service, {});
  EXPECT_EQ(ask(lab_.client, address, 80), "refused");
  EXPECT_TRUE(hears_nothing(lab_.other, address, 80));
  service = outside_local(service);
  table.put(service, {here()});
  EXPECT_EQ(ask(lab_.client, address, 80), "here " + lab_.uplink(2, 9).to_string());
  EXPECT_TRUE(hears_nothing(lab_.other, address, 80));
}

TEST_P(NftablesService, AClientLeavesAnEndpointThatIsGone) {
  Table table(lab_.node, rule_options(family()));
  table.put(sticky(), {here(), there()});
  const auto first = answers(lab_.client, cluster_ip(), 80, 10);
  ASSERT_EQ(first.size(), 1U);
  const bool was_here = first.contains("here");
  table.put(sticky(), {was_here ? there() : here()});
  const auto second = answers(lab_.client, cluster_ip(), 80, 10);
  EXPECT_EQ(second, (std::map<std::string, int>{{was_here ? "there" : "here", 10}}));
  // And stays with the new one, although the old one is back.
  table.put(sticky(), {here(), there()});
  EXPECT_EQ(answers(lab_.client, cluster_ip(), 80, 20).size(), 1U);
  EXPECT_TRUE(answers(lab_.client, cluster_ip(), 80, 1).contains(second.begin()->first));
}

TEST_P(NftablesService, ARestartFindsEverythingInItsPlace) {
  Table table(lab_.node, rule_options(family()));
  table.put(sticky(), {there(), here()});
  Service plain = inner(family());
  plain.name.name = "plain";
  plain.cluster_ips = {cluster_ip().plus(5).value()};
  // In an order of slots that a start alone would not choose.
  table.put(plain, {here(), here_too(), there()});
  table.put(plain, {here_too(), there()});
  table.put(plain, {here(), here_too(), there()});

  NftServices again(rule_options(family()), table.inheritance());
  again.load(plain.name, plain.created, table.planned(plain, {here(), here_too(), there()}));
  again.load(sticky().name, {}, table.planned(sticky(), {here(), there()}));
  again.forget_inheritance();
  EXPECT_EQ(must(table.nftables().apply(again.whole())), std::vector<std::string>{});
}

TEST_P(NftablesService, WhatOthersDidIsRepaired) {
  Table table(lab_.node, rule_options(family()));
  table.put(exposed(family()), {here()});
  lab_.node.sh("nft flush ruleset");
  EXPECT_TRUE(hears_nothing(lab_.pod_client, cluster_ip(), 80));
  EXPECT_FALSE(table.repair().empty());
  EXPECT_EQ(ask(lab_.pod_client, cluster_ip(), 80).substr(0, 4), "here");
  const std::string name = service_table(family()).to_string();
  lab_.node.sh("nft flush map " + name + " services");
  lab_.node.sh("nft flush chain " + name + " pick-1-a");
  EXPECT_EQ(table.repair(), (std::vector<std::string>{"set services: 3 elements put",
                                                      "rule 1 of pick-1-a: put (missing)"}));
  EXPECT_EQ(ask(lab_.pod_client, cluster_ip(), 80).substr(0, 4), "here");
}

TEST_P(NftablesService, AServiceHasFrontsThatAnOlderOneKeepsFromIt) {
  Table table(lab_.node, rule_options(family()));
  Service older = exposed(family());
  older.created = UnixSeconds(std::chrono::seconds(1));
  Service younger = exposed(family());
  younger.name.name = "younger";
  younger.created = UnixSeconds(std::chrono::seconds(2));
  younger.cluster_ips = {cluster_ip().plus(7).value()};
  table.put(younger, {there()});
  table.put(older, {here()});
  EXPECT_EQ(table.services().fronts_of_others(younger.name).size(), 3U)
      << "all but its cluster address";
  table.remove(older.name);
  EXPECT_TRUE(table.services().fronts_of_others(younger.name).empty());
}

TEST_P(NftablesService, TwoServicesOfOnePodBothHairpinAsLongAsOneIsThere) {
  Table table(lab_.node, rule_options(family()));
  Service second = inner(family());
  second.name.name = "second";
  second.cluster_ips = {cluster_ip().plus(7).value()};
  table.put(inner(family()), {here()});
  table.put(second, {here()});
  table.remove(web().name);
  EXPECT_EQ(ask(lab_.here, second.cluster_ips[0], 80), "here " + lab_.pod(1, 1).to_string());
}

}  // namespace
}  // namespace weft::service
