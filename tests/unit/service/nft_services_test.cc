#include "service/nft_services.h"

#include <random>

#include <gtest/gtest.h>

#include "service/nft_key.h"
#include "service/slots.h"
#include "support/service_verdicts.h"
#include "unit/net/model_kernel.h"

namespace weft::service {
namespace {

using namespace test;
using nft::TableEdit;
using nft::test::ModelKernel;

const RuleOptions kOptions{.family = Family::kIpv4};
const ServiceName kWeb = web().name;
// Its address ends in 0x0a.
const ServiceMap kWebEndpoints = shard_of(ServiceMap::kEndpoints, 10);

ServicePlan planned(const Service& service, const std::vector<std::string>& endpoints) {
  std::vector<Endpoint> all;
  for (const auto& address : endpoints) all.push_back(endpoint(address, "here"));
  return plan(service, {slice(all)});
}

std::vector<std::string> words(const std::vector<TableEdit>& edits) {
  std::vector<std::string> all;
  for (const auto& edit : edits) all.push_back(describe(edit));
  return all;
}

// Services, and a kernel that has been told all edits.
class Followed {
 public:
  Followed() : kernel_(std::nullopt), services_(kOptions) { follow(plan_table()); }

  std::vector<std::string> put(const Service& service, const std::vector<std::string>& endpoints) {
    std::vector<TableEdit> edits;
    services_.put(service.name, service.created, planned(service, endpoints), edits);
    return follow(edits);
  }
  std::vector<std::string> remove(const ServiceName& name) {
    std::vector<TableEdit> edits;
    services_.remove(name, edits);
    return follow(edits);
  }
  const nft::TableContents& table() const { return *kernel_.contents(); }

 private:
  std::vector<TableEdit> plan_table() {
    return nft::plan_table(services_.whole(), kernel_.contents());
  }
  // What a change costs, and that it leaves nothing to be done.
  std::vector<std::string> follow(const std::vector<TableEdit>& edits) {
    kernel_.carry_out(edits);
    EXPECT_EQ(words(plan_table()), std::vector<std::string>{});
    return words(edits);
  }

  ModelKernel kernel_;
  NftServices services_;
};

using Words = std::vector<std::string>;

TEST(NftServices, AServiceIsElements) {
  Followed table;
  EXPECT_EQ(table.put(web(), {"10.0.0.1", "10.0.0.2"}),
            (Words{"chain pick-2-a: put (missing)", "rule 1 of pick-2-a: put (missing)",
                   "set ways: 1 element put", "set picks: 1 element put",
                   "set services: 1 element put", "set endpoints-a: 2 elements put",
                   "set cluster-ips: 1 element put", "set hairpins: 2 elements put"}));
  EXPECT_EQ(table.remove(kWeb),
            (Words{"set services: 1 element removed", "set endpoints-a: 2 elements removed",
                   "set cluster-ips: 1 element removed", "set hairpins: 2 elements removed"}));
  EXPECT_EQ(table.remove(kWeb), Words{});
}

TEST(NftServices, AnEndpointCostsItsElements) {
  Followed table;
  table.put(web(), {"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  table.put(web(), {"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(table.put(web(), {"10.0.0.1", "10.0.0.2", "10.0.0.3"}),
            (Words{"set services: 1 element removed", "set services: 1 element put",
                   "set endpoints-a: 1 element put", "set hairpins: 1 element put"}));
  // The last one takes the place of the one that goes.
  EXPECT_EQ(table.put(web(), {"10.0.0.2", "10.0.0.3"}),
            (Words{"set services: 1 element removed", "set endpoints-a: 2 elements removed",
                   "set hairpins: 1 element removed", "set services: 1 element put",
                   "set endpoints-a: 1 element put"}));
  // One for another.
  EXPECT_EQ(table.put(web(), {"10.0.0.2", "10.0.0.4"}),
            (Words{"set endpoints-a: 1 element removed", "set hairpins: 1 element removed",
                   "set endpoints-a: 1 element put", "set hairpins: 1 element put"}));
  EXPECT_EQ(table.put(web(), {"10.0.0.2", "10.0.0.4"}), Words{});
}

TEST(NftServices, EndpointsLieInShardsByTheEndOfTheFront) {
  NftServices services(kOptions);
  Service service = exposed();
  service.external_ips = {ip("198.51.100.31")};
  service.load_balancer_ips = {};
  service.ports[0].node_port = 0x7007;
  services.load(kWeb, {}, planned(service, {"10.0.0.1", "10.0.0.2"}));
  const auto table = services.whole();
  for (const char* map : {"endpoints-a", "endpoints-f", "node-endpoints-7"})
    EXPECT_EQ(table.sets.at(map).elements.size(), 2U) << map;
  for (const char* chain : {"pick-2-a", "pick-2-f", "node-pick-2-7"})
    EXPECT_TRUE(table.chains.contains(chain)) << chain;
}

TEST(NftServices, ServicesThatAskForOneThingTakeTurns) {
  Followed table;
  Service older = exposed();
  older.created = UnixSeconds(std::chrono::seconds(1));
  Service younger = exposed();
  younger.name.name = "younger";
  younger.cluster_ips = {ip("10.96.0.11")};
  younger.created = UnixSeconds(std::chrono::seconds(2));
  table.put(younger, {"10.0.0.1"});
  table.put(older, {"10.0.0.1", "10.0.0.2"});
  table.put(younger, {"10.0.0.1", "10.0.0.3"});
  table.put(older, {});
  table.remove(older.name);
  table.put(older, {"10.0.0.3"});
  table.remove(younger.name);
  table.remove(older.name);
}

TEST(NftServices, AServiceMayChangeInEveryWay) {
  std::mt19937 engine(11);
  const auto random = [&](unsigned below) { return static_cast<unsigned>(engine() % below); };
  Followed table;
  for (int round = 0; round < 300; ++round) {
    Service service = random(2) == 0 ? web() : exposed();
    service.name.name = "s" + std::to_string(random(3));
    service.cluster_ips = {ip("10.96.0." + std::to_string(1 + random(4)))};
    service.created = UnixSeconds(std::chrono::seconds(random(2)));
    if (random(2) == 0) service = outside_local(service);
    if (random(3) == 0) service = inside_local(service);
    if (random(3) == 0) service.client_affinity = std::chrono::seconds(60 + random(2));
    if (random(4) == 0) {
      service.has_source_ranges = true;
      service.load_balancer_source_ranges = {prefix("192.0.2.0/24")};
    }
    if (random(4) == 0) service.ports.push_back({.name = "more", .port = 81});
    std::vector<std::string> endpoints;
    for (int i = 1; i < 8; ++i)
      if (random(2) == 0) endpoints.push_back("10.0.0." + std::to_string(i));
    SCOPED_TRACE(round);
    if (random(5) == 0)
      table.remove(service.name);
    else
      table.put(service, endpoints);
  }
}

// How many elements a map has.
std::size_t count(const nft::TableContents& table, ServiceMap map) {
  return table.sets.at(name_of(map)).elements.size();
}

TEST(NftServices, ARestartLeavesSlotsAndNumbersAsTheyAre) {
  Followed before;
  Service sticky = exposed();
  sticky.name.name = "sticky";
  sticky.cluster_ips = {ip("10.96.0.11")};
  sticky.client_affinity = std::chrono::seconds(60);
  before.put(sticky, {"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  before.put(sticky, {"10.0.0.2", "10.0.0.3"});
  before.put(sticky, {"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.1"});
  before.put(web(), {"10.0.0.5", "10.0.0.6", "10.0.0.7"});
  before.put(web(), {"10.0.0.6", "10.0.0.7"});
  EXPECT_EQ(count(before.table(), ServiceMap::kStaySlots), 4U);
  EXPECT_EQ(count(before.table(), ServiceMap::kPicks), 5U);

  NftServices after(kOptions, NftInheritance(before.table(), Family::kIpv4));
  after.load(kWeb, {}, planned(web(), {"10.0.0.6", "10.0.0.7"}));
  after.load(sticky.name, {}, planned(sticky, {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}));
  after.forget_inheritance();
  EXPECT_EQ(words(nft::plan_table(after.whole(), before.table())), Words{});
  // A service that comes now gets an id of its own.
  Service second = sticky;
  second.name.name = "second";
  second.cluster_ips = {ip("10.96.0.12")};
  second.ports[0].node_port = 0;
  second.external_ips = second.load_balancer_ips = {};
  ModelKernel kernel(before.table());
  std::vector<TableEdit> edits;
  after.put(second.name, {}, planned(second, {"10.0.0.9"}), edits);
  kernel.carry_out(edits);
  EXPECT_EQ(count(*kernel.contents(), ServiceMap::kStaySlots), 5U);
}

TEST(NftServices, WhatTheKernelHasAndMakesNoSenseIsNotInherited) {
  Followed before;
  before.put(web(), {"10.0.0.1", "10.0.0.2"});
  nft::TableContents broken = before.table();
  auto& endpoints = broken.sets.at(name_of(kWebEndpoints)).elements;
  endpoints.push_back({.key = "short", .data = nft::Bytes("x")});
  endpoints.push_back({.key = endpoints[0].key, .data = nft::Verdict{}});
  endpoints[0].key.back() = '\xff';  // a slot beyond all
  broken.sets.at(name_of(ServiceMap::kStayIds)).elements = {
      {.key = nft::Bytes(12, '\1'), .data = number_key(3)}, {.key = "x", .data = number_key(4)}};
  broken.sets.at(name_of(ServiceMap::kPicks)).elements.push_back({.key = "x"});
  broken.sets.erase(name_of(ServiceMap::kStaySlots));
  NftServices after(kOptions, NftInheritance(broken, Family::kIpv4));
  after.load(kWeb, {}, planned(web(), {"10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(words(nft::plan_table(after.whole(), before.table())), Words{});
  EXPECT_EQ(count(after.whole(), kWebEndpoints), 2U);
}

TEST(NftServices, MoreEndpointsThanThereAreSlotsAreLeftOut) {
  std::vector<Endpoint> many;
  for (std::uint32_t i = 0; i < Pick::kMostEndpoints + 5; ++i)
    many.push_back({.addresses = {IpAddress::v4(0x0a000000 + i)}});
  NftServices services(kOptions);
  services.load(kWeb, {}, plan(web(), {slice(many)}));
  const auto table = services.whole();
  EXPECT_EQ(count(table, kWebEndpoints), Pick::kMostEndpoints);
  EXPECT_TRUE(table.chains.contains(Pick{.count = Pick::kMostEndpoints, .shard = 10}.chain()));
}

TEST(Pick, NumbersAndBack) {
  for (const Pick pick : {Pick{.count = 1}, Pick{.count = 5, .local = true},
                          Pick{.count = Pick::kMostEndpoints, .affinity_seconds = 86400},
                          Pick{.count = 2, .local = true, .affinity_seconds = 1},
                          Pick{.count = 7, .local = true, .shard = 1},
                          Pick{.count = Pick::kMostEndpoints, .local = true, .shard = 15}}) {
    EXPECT_EQ(Pick::of_number(pick.number()), pick);
    EXPECT_LT(pick.number(), static_cast<std::uint32_t>(Way::kReject));
  }
  EXPECT_EQ((Pick{.count = 3, .local = true}.chain()), "pick-3-0-local");
  EXPECT_EQ((Pick{.count = 3, .shard = 12}.chain()), "pick-3-c");
  EXPECT_EQ((Pick{.count = 3, .affinity_seconds = 60}.chain()), "stay-60-3");
}

TEST(Slots, NumbersOfPlacesStay) {
  const auto at = [](std::vector<std::uint32_t> places) {
    std::vector<EndpointRecord> all;
    for (const auto place : places) all.push_back({.address = IpAddress::v4(place)});
    return all;
  };
  using Numbers = std::vector<std::uint32_t>;
  EXPECT_EQ(number_places({}, {}, at({1, 2})), (Numbers{0, 1}));
  EXPECT_EQ(number_places(at({1, 2, 3}), {0, 1, 2}, at({3, 2})), (Numbers{2, 1}));
  EXPECT_EQ(number_places(at({3, 2}), {2, 1}, at({3, 2, 4})), (Numbers{2, 1, 0}));
}

}  // namespace
}  // namespace weft::service
