#include "dns/zone_builder.h"

#include <malloc.h>

#include <random>

#include <gtest/gtest.h>

#include "unit/dns/clusters.h"

namespace weft::dns {
namespace {

using test::ask_text;
using test::cluster_service;
using test::endpoint;
using test::external_service;
using test::headless_service;
using test::slice_of;
using test::zone_options;

constexpr const char* kWeb = "web.shop.svc.cluster.local";
const std::vector<EndpointPort> kHttp = {{.name = "http", .port = 80}};

std::string addresses_of(const ClusterZone& zone, const char* name = kWeb) {
  return ask_text(zone, name, RecordType::kA);
}

TEST(ZoneBuilder, AnEarlierSnapshotStaysAsItWas) {
  ZoneBuilder builder(zone_options());
  builder.put(cluster_service("shop", "web", {"10.96.0.1"}));
  const auto before = builder.zone(1);
  EXPECT_TRUE(builder.put(cluster_service("shop", "web", {"10.96.0.2"})));
  const auto after = builder.zone(2);
  EXPECT_EQ(addresses_of(*before), std::string("NOERROR\n") + kWeb + ". 30 IN A 10.96.0.1");
  EXPECT_EQ(addresses_of(*after), std::string("NOERROR\n") + kWeb + ". 30 IN A 10.96.0.2");
  EXPECT_EQ(before->serial, 1U);
  EXPECT_EQ(after->serial, 2U);
}

TEST(ZoneBuilder, WhatChangesNoNameIsNoNews) {
  ZoneBuilder builder(zone_options());
  Service service = cluster_service("shop", "web", {"10.96.0.1"}, {{.name = "http", .port = 80}});
  EXPECT_TRUE(builder.put(service));
  const auto zone = builder.zone(1);
  service.version = "2";
  service.selector["a"] = "b";
  service.ports[0].node_port = 30000;
  EXPECT_FALSE(builder.put(service));
  EXPECT_FALSE(builder.put(slice_of("shop", "web", "s", {endpoint("10.4.0.1")})))
      << "the endpoints of a Service with an address of its own";
  EXPECT_FALSE(builder.remove_slice("shop", "s"));
  EXPECT_FALSE(builder.remove({.ns = "shop", .name = "other"}));
  EXPECT_EQ(builder.zone(5), zone) << "the very same snapshot, with its serial";
}

TEST(ZoneBuilder, EndpointsComeAndGo) {
  ZoneBuilder builder(zone_options());
  builder.put(headless_service("shop", "web"));
  EXPECT_EQ(addresses_of(*builder.zone(1)), "absent");
  EXPECT_TRUE(builder.put(slice_of("shop", "web", "s1", {endpoint("10.4.0.1")})));
  // A second slice repeats the first one's endpoint while it moves.
  EXPECT_TRUE(
      builder.put(slice_of("shop", "web", "s2", {endpoint("10.4.0.1"), endpoint("10.4.0.2")})));
  const std::string both =
      std::string("NOERROR\n") + kWeb + ". 30 IN A 10.4.0.1\n" + kWeb + ". 30 IN A 10.4.0.2";
  EXPECT_EQ(addresses_of(*builder.zone(2)), both);
  EXPECT_TRUE(builder.remove_slice("shop", "s1"));
  EXPECT_EQ(addresses_of(*builder.zone(3)), both);
  weft::Endpoint unready = endpoint("10.4.0.1");
  unready.ready = false;
  EXPECT_TRUE(builder.put(slice_of("shop", "web", "s2", {unready, endpoint("10.4.0.2")})));
  const auto zone = builder.zone(4);
  EXPECT_EQ(addresses_of(*zone), std::string("NOERROR\n") + kWeb + ". 30 IN A 10.4.0.2");
  EXPECT_EQ(ask_text(*zone, "1.0.4.10.in-addr.arpa", RecordType::kPtr), "absent");
  EXPECT_TRUE(builder.remove_slice("shop", "s2"));
  EXPECT_EQ(addresses_of(*builder.zone(5)), "absent");
  EXPECT_EQ(builder.zone(5)->reverse.size(), 0U);
}

TEST(ZoneBuilder, TheOrderOfServiceAndSliceDoesNotMatter) {
  const auto slice = slice_of("shop", "web", "s1", {endpoint("10.4.0.1")});
  for (const bool service_first : {true, false}) {
    ZoneBuilder builder(zone_options());
    if (service_first) builder.put(headless_service("shop", "web"));
    builder.put(slice);
    if (!service_first) builder.put(headless_service("shop", "web"));
    EXPECT_EQ(addresses_of(*builder.zone(1)),
              std::string("NOERROR\n") + kWeb + ". 30 IN A 10.4.0.1");
  }
}

TEST(ZoneBuilder, AServiceMayBecomeAnotherKind) {
  ZoneBuilder builder(zone_options());
  auto slice = slice_of("shop", "web", "s1", {endpoint("10.4.0.1")});
  slice.headless_label = true;
  builder.put(external_service("shop", "web", "foo.example.com"));
  builder.put(slice);
  EXPECT_EQ(addresses_of(*builder.zone(1)),
            std::string("NOERROR\n") + kWeb + ". 30 IN CNAME foo.example.com.");
  builder.put(headless_service("shop", "web"));
  EXPECT_EQ(addresses_of(*builder.zone(2)), std::string("NOERROR\n") + kWeb + ". 30 IN A 10.4.0.1");
  builder.put(cluster_service("shop", "web", {"10.96.0.9"}));
  EXPECT_EQ(addresses_of(*builder.zone(3)),
            std::string("NOERROR\n") + kWeb + ". 30 IN A 10.96.0.9");
  EXPECT_EQ(builder.zone(3)->reverse.size(), 1U);
  builder.remove({.ns = "shop", .name = "web"});
  EXPECT_EQ(addresses_of(*builder.zone(4)), "absent");
  builder.put(headless_service("shop", "web"));
  EXPECT_EQ(addresses_of(*builder.zone(5)), std::string("NOERROR\n") + kWeb + ". 30 IN A 10.4.0.1");
}

TEST(ZoneBuilder, ASliceMayMoveToAnotherService) {
  ZoneBuilder builder(zone_options());
  builder.put(headless_service("shop", "web"));
  builder.put(headless_service("shop", "api"));
  builder.put(slice_of("shop", "web", "s1", {endpoint("10.4.0.1")}));
  EXPECT_TRUE(builder.put(slice_of("shop", "api", "s1", {endpoint("10.4.0.1")})));
  const auto zone = builder.zone(1);
  EXPECT_EQ(addresses_of(*zone), "absent");
  EXPECT_EQ(addresses_of(*zone, "api.shop.svc.cluster.local"),
            "NOERROR\napi.shop.svc.cluster.local. 30 IN A 10.4.0.1");
  EXPECT_TRUE(builder.put(slice_of("shop", "", "s1", {endpoint("10.4.0.1")})));
  EXPECT_EQ(builder.zone(2)->reverse.size(), 0U);
}

TEST(ZoneBuilder, AnAddressOfSeveralServicesHasSeveralNames) {
  ZoneBuilder builder(zone_options());
  for (const char* name : {"web", "api"}) {
    builder.put(headless_service("shop", name));
    builder.put(slice_of("shop", name, std::string(name) + "-1", {endpoint("10.4.0.1", "h")}));
  }
  const auto reverse = [&] {
    return ask_text(*builder.zone(1), "1.0.4.10.in-addr.arpa", RecordType::kPtr);
  };
  EXPECT_EQ(reverse(),
            "NOERROR\n1.0.4.10.in-addr.arpa. 30 IN PTR h.api.shop.svc.cluster.local.\n"
            "1.0.4.10.in-addr.arpa. 30 IN PTR h.web.shop.svc.cluster.local.");
  builder.remove({.ns = "shop", .name = "api"});
  EXPECT_EQ(reverse(), "NOERROR\n1.0.4.10.in-addr.arpa. 30 IN PTR h.web.shop.svc.cluster.local.");
  builder.put(cluster_service("shop", "vip", {"10.4.0.1"}));
  EXPECT_EQ(reverse(), "NOERROR\n1.0.4.10.in-addr.arpa. 30 IN PTR vip.shop.svc.cluster.local.");
}

TEST(ZoneBuilder, NamespacesAreThoseListedAndThoseOfServices) {
  ZoneBuilder builder(zone_options());
  EXPECT_TRUE(builder.put_namespace("listed"));
  EXPECT_FALSE(builder.put_namespace("listed"));
  builder.put(cluster_service("used", "web", {"10.96.0.1"}));
  const auto of = [&](const char* name) {
    return ask_text(*builder.zone(1), name, RecordType::kA);
  };
  EXPECT_EQ(of("listed.svc.cluster.local"), "no data");
  EXPECT_EQ(of("used.svc.cluster.local"), "no data");
  builder.remove({.ns = "used", .name = "web"});
  EXPECT_TRUE(builder.remove_namespace("listed"));
  EXPECT_EQ(of("listed.svc.cluster.local"), "absent");
  EXPECT_EQ(of("used.svc.cluster.local"), "absent");
}

TEST(ZoneBuilder, OptionsDecideWhatHasAName) {
  auto options = zone_options();
  options.namespaces = {"shop"};
  options.ignore_empty_service = true;
  options.endpoint_pod_names = true;
  ZoneBuilder builder(options);
  builder.put_namespace("other");
  builder.put(cluster_service("other", "web", {"10.96.0.1"}));
  builder.put(cluster_service("shop", "web", {"10.96.0.2"}));
  EXPECT_EQ(addresses_of(*builder.zone(1), "web.other.svc.cluster.local"), "absent");
  EXPECT_EQ(addresses_of(*builder.zone(1), "other.svc.cluster.local"), "absent");
  EXPECT_EQ(addresses_of(*builder.zone(1)), "absent") << "no endpoint is ready";
  builder.put(slice_of("shop", "web", "s", {endpoint("10.4.0.1")}));
  EXPECT_EQ(addresses_of(*builder.zone(2)),
            std::string("NOERROR\n") + kWeb + ". 30 IN A 10.96.0.2");

  builder.put(headless_service("shop", "pods"));
  weft::Endpoint named = endpoint("10.4.0.7");
  named.pod = "pod-x";
  weft::Endpoint dotted = endpoint("10.4.0.8");
  dotted.pod = "pod.y";
  builder.put(slice_of("shop", "pods", "p", {named, dotted}));
  EXPECT_EQ(addresses_of(*builder.zone(3), "pod-x.pods.shop.svc.cluster.local"),
            "NOERROR\npod-x.pods.shop.svc.cluster.local. 30 IN A 10.4.0.7");
  EXPECT_EQ(addresses_of(*builder.zone(3), "10-4-0-8.pods.shop.svc.cluster.local"),
            "NOERROR\n10-4-0-8.pods.shop.svc.cluster.local. 30 IN A 10.4.0.8");

  auto without = zone_options();
  without.endpoints = false;
  ZoneBuilder lean(without);
  lean.put(headless_service("shop", "web"));
  lean.put(slice_of("shop", "web", "s", {endpoint("10.4.0.1")}));
  EXPECT_EQ(addresses_of(*lean.zone(1)), "absent");
}

TEST(ZoneBuilder, OnlyListedNamespacesHaveNamesWhereSoAsked) {
  auto options = zone_options();
  options.listed_namespaces_only = true;
  ZoneBuilder builder(options);
  builder.put(cluster_service("shop", "web", {"10.96.0.1"}));
  const auto of = [&](const char* name, RecordType type) {
    return ask_text(*builder.zone(1), name, type);
  };
  EXPECT_EQ(of(kWeb, RecordType::kA), "absent");
  EXPECT_EQ(of("shop.svc.cluster.local", RecordType::kA), "absent");
  EXPECT_EQ(of("1.0.96.10.in-addr.arpa", RecordType::kPtr), "no data");
  builder.put_namespace("shop");
  EXPECT_EQ(of(kWeb, RecordType::kA), std::string("NOERROR\n") + kWeb + ". 30 IN A 10.96.0.1");
  builder.remove_namespace("shop");
  EXPECT_EQ(of(kWeb, RecordType::kA), "absent");
}

TEST(ZoneBuilder, AfterAListWhatItDidNotNameIsGone) {
  ZoneBuilder builder(zone_options());
  for (const char* name : {"web", "api"}) {
    builder.put(headless_service("shop", name));
    builder.put(slice_of("shop", name, std::string(name) + "-1", {endpoint("10.4.0.1")}));
  }
  builder.put_namespace("shop");
  builder.put_namespace("gone");
  EXPECT_FALSE(builder.keep_services({"shop/web", "shop/api"}));
  EXPECT_TRUE(builder.keep_services({"shop/web"}));
  EXPECT_TRUE(builder.keep_namespaces({"shop"}));
  EXPECT_TRUE(builder.keep_slices({"shop/api-1"}));
  const auto zone = builder.zone(1);
  EXPECT_EQ(addresses_of(*zone), "absent") << "a headless Service whose endpoints are gone";
  EXPECT_EQ(addresses_of(*zone, "api.shop.svc.cluster.local"), "absent");
  EXPECT_EQ(addresses_of(*zone, "gone.svc.cluster.local"), "absent");
  EXPECT_EQ(addresses_of(*zone, "shop.svc.cluster.local"), "no data");
  EXPECT_EQ(zone->services.size(), 1U);
}

TEST(ZoneBuilder, WhatCannotBeANameIsToldOf) {
  ZoneBuilder builder(zone_options());
  EXPECT_FALSE(builder.put(cluster_service("shop", "a.b", {"10.96.0.1"})));
  EXPECT_FALSE(builder.put(cluster_service("shop", std::string(64, 'x'), {"10.96.0.1"})));
  EXPECT_FALSE(builder.put(cluster_service("", "x", {"10.96.0.1"})));
  EXPECT_EQ(builder.take_faults().size(), 3U);
  EXPECT_TRUE(builder.take_faults().empty());
  // Hostnames and port names that are no labels are passed over, not believed.
  builder.put(headless_service("shop", "web"));
  builder.put(slice_of("shop", "web", "s",
                       {endpoint("10.4.0.1", "a.b"), endpoint("10.4.0.2", std::string(80, 'h'))},
                       {{.name = std::string(200, 'p'), .port = 1}}));
  const auto zone = builder.zone(1);
  EXPECT_EQ(addresses_of(*zone, "10-4-0-1.web.shop.svc.cluster.local"),
            "NOERROR\n10-4-0-1.web.shop.svc.cluster.local. 30 IN A 10.4.0.1");
  EXPECT_EQ(addresses_of(*zone, "10-4-0-2.web.shop.svc.cluster.local"),
            "NOERROR\n10-4-0-2.web.shop.svc.cluster.local. 30 IN A 10.4.0.2");
}

TEST(ZoneBuilder, BeforeEverythingIsReadNothingIsKnownToBeAbsent) {
  ZoneBuilder builder(zone_options());
  EXPECT_FALSE(builder.zone(1)->complete);
  builder.set_complete();
  EXPECT_TRUE(builder.zone(1)->complete);
}

// A cluster that lives: whatever the order of events was, the zone is that of a builder that has
// only ever seen the last state.
TEST(ZoneBuilder, AfterAnyHistoryTheZoneIsThatOfTheLastState) {
  std::mt19937 random(4);
  ZoneBuilder lived(zone_options());
  std::map<std::string, Service> services;
  std::map<std::string, EndpointSlice> slices;
  const auto pick = [&](unsigned count) { return static_cast<unsigned>(random() % count); };
  constexpr int kSteps = 3000;
  for (int step = 0; step < kSteps; ++step) {
    const std::string name = "s" + std::to_string(pick(6));
    if (pick(3) == 0) {
      Service service = pick(4) == 0
                            ? cluster_service("ns", name, {"10.96.0." + std::to_string(pick(9))})
                            : headless_service("ns", name);
      if (pick(3) == 0) {
        services.erase(name);
        lived.remove(service.name);
      } else {
        services[name] = service;
        lived.put(service);
      }
      continue;
    }
    const std::string id = "slice" + std::to_string(pick(8));
    if (pick(4) == 0) {
      slices.erase(id);
      lived.remove_slice("ns", id);
      continue;
    }
    std::vector<weft::Endpoint> endpoints;
    for (unsigned i = pick(4); i > 0; --i)
      endpoints.push_back(endpoint("10.4.0." + std::to_string(pick(12)), pick(2) == 0 ? "h" : ""));
    EndpointSlice slice = slice_of("ns", name, id, endpoints, kHttp);
    slice.headless_label = true;
    slices[id] = slice;
    lived.put(slice);
    if (pick(5) == 0) lived.zone(static_cast<std::uint32_t>(step));
  }
  ZoneBuilder fresh(zone_options());
  for (const auto& [name, service] : services) fresh.put(service);
  for (const auto& [name, slice] : slices) fresh.put(slice);
  const auto one = lived.zone(1);
  const auto other = fresh.zone(1);
  EXPECT_EQ(one->services.size(), other->services.size());
  EXPECT_EQ(one->reverse.size(), other->reverse.size());
  for (unsigned i = 0; i < 6; ++i) {
    const std::string name = "s" + std::to_string(i) + ".ns.svc.cluster.local";
    for (const auto type : {RecordType::kA, RecordType::kSrv})
      EXPECT_EQ(ask_text(*one, name, type), ask_text(*other, name, type)) << name;
  }
  for (unsigned i = 0; i < 12; ++i) {
    const std::string reverse = std::to_string(i) + ".0.4.10.in-addr.arpa";
    EXPECT_EQ(ask_text(*one, reverse, RecordType::kPtr),
              ask_text(*other, reverse, RecordType::kPtr));
  }
}

// What each thing costs that a large cluster has many of.
TEST(ZoneBuilder, ALargeClusterIsSmall) {
  ZoneBuilder builder(zone_options());
  const auto used = [] { return ::mallinfo2().uordblks; };
  const std::size_t empty = used();
  constexpr unsigned kServices = 8000;
  for (unsigned i = 0; i < kServices; ++i) {
    Service service =
        cluster_service("namespace-" + std::to_string(i % 100), "service-" + std::to_string(i), {},
                        {{.name = "http", .port = 80}, {.name = "metrics", .port = 90}});
    service.cluster_ips = {IpAddress::v4(0x0a600000U + i)};
    builder.put(service);
  }
  auto zone = builder.zone(1);
  const std::size_t with_services = used();
  constexpr unsigned kHeadless = 200;
  constexpr unsigned kEach = 100;
  for (unsigned i = 0; i < kHeadless; ++i) {
    const std::string name = "headless-" + std::to_string(i);
    builder.put(headless_service("namespace-1", name));
    std::vector<weft::Endpoint> endpoints;
    for (unsigned j = 0; j < kEach; ++j) {
      weft::Endpoint each;
      each.addresses = {IpAddress::v4(0x0a040000U + i * kEach + j)};
      endpoints.push_back(each);
    }
    builder.put(slice_of("namespace-1", name, name + "-abcde", endpoints, kHttp));
  }
  zone = builder.zone(2);
  const std::size_t service_bytes = (with_services - empty) / kServices;
  const std::size_t endpoint_bytes = (used() - with_services) / (kHeadless * kEach);
  RecordProperty("bytes_a_service", static_cast<int>(service_bytes));
  RecordProperty("bytes_an_endpoint", static_cast<int>(endpoint_bytes));
  EXPECT_LE(service_bytes, 600U);
  EXPECT_LE(endpoint_bytes, 150U);
}

}  // namespace
}  // namespace weft::dns
