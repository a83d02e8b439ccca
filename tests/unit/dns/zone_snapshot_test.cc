#include "dns/zone_snapshot.h"

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

constexpr const char* kOrigin = "API";
const UnixSeconds kThen{std::chrono::seconds(1'800'000'000)};

// One Service of each kind, in either family, and slices that differ in their ports.
ZoneBuilder cluster(const ZoneOptions& options = zone_options()) {
  ZoneBuilder builder(options);
  builder.put(cluster_service("shop", "web", {"10.96.0.1", "fd00::1"},
                              {{.name = "http", .port = 80},
                               {.name = "dns", .protocol = ServiceProtocol::kUdp, .port = 53}}));
  builder.put(headless_service("shop", "db"));
  builder.put(slice_of("shop", "db", "db-1", {endpoint("10.4.0.5", "db-0"), endpoint("10.4.0.6")},
                       {{.name = "pg", .port = 5432}}));
  builder.put(slice_of("shop", "db", "db-2", {endpoint("fd00:4::5", "db-0")},
                       {{.name = "pg", .port = 5433}}));
  builder.put(headless_service("shop", "idle"));
  builder.put(external_service("shop", "out", "www.example.com"));
  builder.put(external_service("shop", "nowhere", "192.0.2.1"));
  builder.put_namespace("empty");
  builder.set_complete();
  return builder;
}

std::string names_of_cluster() {
  return encode_names(*cluster().zone(1));
}

Result<UnixSeconds> restore(std::string_view bytes, ZoneBuilder& builder,
                            const SnapshotLimits& limits = {}) {
  return restore_snapshot(bytes, kOrigin, kThen, builder, limits);
}

struct Question {
  const char* name;
  RecordType type;
};
constexpr Question kQuestions[] = {
    {"web.shop.svc.cluster.local", RecordType::kA},
    {"web.shop.svc.cluster.local", RecordType::kAaaa},
    {"_http._tcp.web.shop.svc.cluster.local", RecordType::kSrv},
    {"_dns._udp.web.shop.svc.cluster.local", RecordType::kSrv},
    {"1.0.96.10.in-addr.arpa", RecordType::kPtr},
    {"db.shop.svc.cluster.local", RecordType::kA},
    {"db.shop.svc.cluster.local", RecordType::kAaaa},
    {"db-0.db.shop.svc.cluster.local", RecordType::kA},
    {"10-4-0-6.db.shop.svc.cluster.local", RecordType::kA},
    {"_pg._tcp.db.shop.svc.cluster.local", RecordType::kSrv},
    {"6.0.4.10.in-addr.arpa", RecordType::kPtr},
    {"idle.shop.svc.cluster.local", RecordType::kA},
    {"out.shop.svc.cluster.local", RecordType::kCname},
    {"nowhere.shop.svc.cluster.local", RecordType::kA},
    {"empty.svc.cluster.local", RecordType::kA},
    {"none.svc.cluster.local", RecordType::kA},
};

TEST(ZoneSnapshot, WhatIsRestoredAnswersTheSame) {
  ZoneBuilder restored(zone_options());
  const auto written =
      restore(seal_snapshot(names_of_cluster(), kOrigin, kThen - std::chrono::hours(1)), restored);
  ASSERT_TRUE(written) << written.error().text();
  EXPECT_EQ(*written, kThen - std::chrono::hours(1));
  const auto before = cluster().zone(1);
  const auto after = restored.zone(1);
  EXPECT_TRUE(after->stale);
  EXPECT_FALSE(after->complete) << "nothing may be denied yet";
  for (const Question& each : kQuestions)
    EXPECT_EQ(ask_text(*after, each.name, each.type), ask_text(*before, each.name, each.type))
        << each.name;
  EXPECT_EQ(encode_names(*after), names_of_cluster()) << "and is written the same";
}

TEST(ZoneSnapshot, WholeListsLeaveNothingOfIt) {
  ZoneBuilder restored(zone_options());
  ASSERT_TRUE(restore(seal_snapshot(names_of_cluster(), kOrigin, kThen), restored));
  restored.put(headless_service("shop", "db"));
  restored.keep_services({"shop/db"});
  restored.put(slice_of("shop", "db", "db-1", {endpoint("10.4.0.9")}));
  restored.keep_slices({"shop/db-1"});
  restored.keep_namespaces({});
  const auto zone = restored.zone(2);
  EXPECT_EQ(ask_text(*zone, "db.shop.svc.cluster.local", RecordType::kA),
            "NOERROR\ndb.shop.svc.cluster.local. 30 IN A 10.4.0.9");
  EXPECT_EQ(ask_text(*zone, "web.shop.svc.cluster.local", RecordType::kA), "absent");
  EXPECT_EQ(ask_text(*zone, "empty.svc.cluster.local", RecordType::kA), "absent");
  EXPECT_EQ(zone->reverse.size(), 1U);
}

TEST(ZoneSnapshot, AServiceWithoutEndpointsStaysOne) {
  ZoneOptions options = zone_options();
  options.ignore_empty_service = true;
  ZoneBuilder builder = cluster(options);
  builder.put(cluster_service("shop", "full", {"10.96.0.2"}));
  builder.put(slice_of("shop", "full", "full-1", {endpoint("10.4.0.7")}));
  ZoneBuilder restored(options);
  ASSERT_TRUE(restore(seal_snapshot(encode_names(*builder.zone(1)), kOrigin, kThen), restored));
  const auto zone = restored.zone(1);
  EXPECT_EQ(ask_text(*zone, "full.shop.svc.cluster.local", RecordType::kA),
            "NOERROR\nfull.shop.svc.cluster.local. 30 IN A 10.96.0.2");
  EXPECT_EQ(ask_text(*zone, "web.shop.svc.cluster.local", RecordType::kA), "absent");
  EXPECT_EQ(ask_text(*zone, "7.0.4.10.in-addr.arpa", RecordType::kPtr), "absent");
}

TEST(ZoneSnapshot, ManyEndpointsAreSeveralSlices) {
  constexpr unsigned kMany = 2500;
  ZoneBuilder builder(zone_options());
  builder.put(headless_service("shop", "db"));
  std::vector<weft::Endpoint> endpoints;
  for (unsigned i = 0; i < kMany; ++i)
    endpoints.push_back({.addresses = {IpAddress::v4(0x0a040000U + i)}});
  builder.put(slice_of("shop", "db", "db-1", std::move(endpoints)));
  ZoneBuilder restored(zone_options());
  ASSERT_TRUE(restore(seal_snapshot(encode_names(*builder.zone(1)), kOrigin, kThen), restored));
  EXPECT_EQ(restored.zone(1)->reverse.size(), kMany);
}

TEST(ZoneSnapshot, WhatIsCutOrChangedIsRefused) {
  const std::string whole = seal_snapshot(names_of_cluster(), kOrigin, kThen);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ZoneBuilder builder(zone_options());
    ASSERT_FALSE(restore(whole.substr(0, size), builder)) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    ZoneBuilder builder(zone_options());
    ASSERT_FALSE(restore(changed, builder)) << at;
  }
}

TEST(ZoneSnapshot, SaysWhatIsWrong) {
  const std::string names = names_of_cluster();
  std::string newer = seal_snapshot(names, kOrigin, kThen);
  newer[11] = 2;
  struct Case {
    std::string bytes;
    SnapshotLimits limits;
    const char* says;
  };
  const Case cases[] = {
      {"", {}, "no snapshot"},
      {"#!/bin/sh\n", {}, "no snapshot"},
      {newer, {}, "version 2"},
      {seal_snapshot(names, "folder /a", kThen), {}, "another cluster"},
      {seal_snapshot(names, kOrigin, kThen + std::chrono::seconds(1)), {}, "not yet"},
      {seal_snapshot(names, kOrigin, kThen - kSnapshotExpires - std::chrono::seconds(1)),
       {},
       "too long ago"},
      {seal_snapshot(names + "x", kOrigin, kThen), {}, "its contents are not"},
      {seal_snapshot(names, kOrigin, kThen), {.bytes = 100}, "too large"},
      {seal_snapshot(names, kOrigin, kThen), {.services = 4}, "its contents are not"},
      {seal_snapshot(names, kOrigin, kThen), {.endpoints = 2}, "its contents are not"},
      {seal_snapshot(names, kOrigin, kThen), {.namespaces = 1}, "its contents are not"},
  };
  for (const Case& each : cases) {
    ZoneBuilder builder(zone_options());
    const auto restored = restore(each.bytes, builder, each.limits);
    ASSERT_FALSE(restored) << each.says;
    EXPECT_NE(restored.error().text().find(each.says), std::string::npos)
        << restored.error().text();
  }
}

}  // namespace
}  // namespace weft::dns
