#include "dns/zone_answer.h"

#include <set>

#include <gtest/gtest.h>

#include "support/allocation_count.h"
#include "unit/dns/clusters.h"

namespace weft::dns {
namespace {

using test::ask;
using test::ask_text;
using test::cluster_service;
using test::endpoint;
using test::external_service;
using test::headless_service;
using test::query;
using test::slice_of;
using test::text_of;
using test::zone_options;

const std::vector<EndpointPort> kPgPort = {{.name = "pg", .port = 5432}};

// One Service of each kind.
std::shared_ptr<const ClusterZone> small_cluster() {
  ZoneBuilder builder(zone_options());
  builder.put_namespace("default");
  builder.put_namespace("empty");
  builder.put(
      cluster_service("default", "kubernetes", {"10.96.0.1"}, {{.name = "https", .port = 443}}));
  builder.put(cluster_service("default", "dual", {"10.96.0.2", "fd00::2"},
                              {{.name = "web", .port = 80},
                               {.name = "dns", .protocol = ServiceProtocol::kUdp, .port = 53}}));
  builder.put(cluster_service("default", "plain", {"10.96.0.3"}, {{.port = 8080}}));
  builder.put(headless_service("db", "pg"));
  builder.put(slice_of(
      "db", "pg", "pg-4",
      {endpoint("10.4.0.9", "pg-1"), endpoint("10.4.0.5", "pg-0"), endpoint("10.4.0.7")}, kPgPort));
  builder.put(
      slice_of("db", "pg", "pg-6", {endpoint("fd00:4::5", "pg-0"), endpoint("fd00:4::")}, kPgPort));
  builder.put(headless_service("db", "none-ready"));
  builder.put(external_service("default", "outside", "Www.Example.com"));
  builder.put(external_service("default", "inside", "kubernetes.default.svc.cluster.local"));
  builder.put(external_service("default", "nowhere", "missing.default.svc.cluster.local"));
  builder.put(external_service("default", "egg", "hen.default.svc.cluster.local"));
  builder.put(external_service("default", "hen", "egg.default.svc.cluster.local"));
  builder.put(external_service("default", "number", "192.0.2.1"));
  builder.set_complete();
  return builder.zone(1'700'000'000);
}

struct Case {
  const char* name;
  RecordType type;
  const char* answer;
};

void expect_all(const std::vector<Case>& cases, const ClusterZone& zone) {
  for (const auto& [name, type, answer] : cases)
    EXPECT_EQ(ask_text(zone, name, type), answer) << name << " " << to_string(type);
}

TEST(ZoneAnswer, AServiceHasItsAddressesAndPorts) {
  const auto zone = small_cluster();
  expect_all(
      {
          {"kubernetes.default.svc.cluster.local", RecordType::kA,
           "NOERROR\nkubernetes.default.svc.cluster.local. 30 IN A 10.96.0.1"},
          {"KuberNetes.DEFAULT.svc.Cluster.local", RecordType::kA,
           "NOERROR\nKuberNetes.DEFAULT.svc.Cluster.local. 30 IN A 10.96.0.1"},
          {"dual.default.svc.cluster.local", RecordType::kAaaa,
           "NOERROR\ndual.default.svc.cluster.local. 30 IN AAAA fd00::2"},
          {"_https._tcp.kubernetes.default.svc.cluster.local", RecordType::kSrv,
           "NOERROR\n_https._tcp.kubernetes.default.svc.cluster.local. 30 IN SRV 0 100 443 "
           "kubernetes.default.svc.cluster.local.\n"
           "add kubernetes.default.svc.cluster.local. 30 IN A 10.96.0.1"},
          {"_DNS._Udp.dual.default.svc.cluster.local", RecordType::kSrv,
           "NOERROR\n_DNS._Udp.dual.default.svc.cluster.local. 30 IN SRV 0 50 53 "
           "dual.default.svc.cluster.local.\n"
           "add dual.default.svc.cluster.local. 30 IN A 10.96.0.2\n"
           "add dual.default.svc.cluster.local. 30 IN AAAA fd00::2"},
          // Every port, those without a name as well.
          {"plain.default.svc.cluster.local", RecordType::kSrv,
           "NOERROR\nplain.default.svc.cluster.local. 30 IN SRV 0 100 8080 "
           "plain.default.svc.cluster.local.\n"
           "add plain.default.svc.cluster.local. 30 IN A 10.96.0.3"},
          {"_https._tcp.kubernetes.default.svc.cluster.local", RecordType::kA,
           "NOERROR\n_https._tcp.kubernetes.default.svc.cluster.local. 30 IN A 10.96.0.1"},
      },
      *zone);
}

TEST(ZoneAnswer, AHeadlessServiceIsItsEndpoints) {
  const auto zone = small_cluster();
  expect_all(
      {
          {"pg.db.svc.cluster.local", RecordType::kA,
           "NOERROR\npg.db.svc.cluster.local. 30 IN A 10.4.0.5\n"
           "pg.db.svc.cluster.local. 30 IN A 10.4.0.7\n"
           "pg.db.svc.cluster.local. 30 IN A 10.4.0.9"},
          {"pg-0.pg.db.svc.cluster.local", RecordType::kA,
           "NOERROR\npg-0.pg.db.svc.cluster.local. 30 IN A 10.4.0.5"},
          {"pg-0.pg.db.svc.cluster.local", RecordType::kAaaa,
           "NOERROR\npg-0.pg.db.svc.cluster.local. 30 IN AAAA fd00:4::5"},
          {"pg-1.pg.db.svc.cluster.local", RecordType::kAaaa, "no data"},
          {"10-4-0-7.pg.db.svc.cluster.local", RecordType::kA,
           "NOERROR\n10-4-0-7.pg.db.svc.cluster.local. 30 IN A 10.4.0.7"},
          {"fd00-4--0.pg.db.svc.cluster.local", RecordType::kAaaa,
           "NOERROR\nfd00-4--0.pg.db.svc.cluster.local. 30 IN AAAA fd00:4::"},
          {"_pg._tcp.pg.db.svc.cluster.local", RecordType::kSrv,
           "NOERROR\n"
           "_pg._tcp.pg.db.svc.cluster.local. 30 IN SRV 0 20 5432 pg-0.pg.db.svc.cluster.local.\n"
           "_pg._tcp.pg.db.svc.cluster.local. 30 IN SRV 0 20 5432 "
           "10-4-0-7.pg.db.svc.cluster.local.\n"
           "_pg._tcp.pg.db.svc.cluster.local. 30 IN SRV 0 20 5432 pg-1.pg.db.svc.cluster.local.\n"
           "_pg._tcp.pg.db.svc.cluster.local. 30 IN SRV 0 20 5432 "
           "fd00-4--0.pg.db.svc.cluster.local.\n"
           "add pg-0.pg.db.svc.cluster.local. 30 IN A 10.4.0.5\n"
           "add 10-4-0-7.pg.db.svc.cluster.local. 30 IN A 10.4.0.7\n"
           "add pg-1.pg.db.svc.cluster.local. 30 IN A 10.4.0.9\n"
           "add fd00-4--0.pg.db.svc.cluster.local. 30 IN AAAA fd00:4::\n"
           "add pg-0.pg.db.svc.cluster.local. 30 IN AAAA fd00:4::5"},
          {"pg-1.pg.db.svc.cluster.local", RecordType::kSrv,
           "NOERROR\npg-1.pg.db.svc.cluster.local. 30 IN SRV 0 100 5432 "
           "pg-1.pg.db.svc.cluster.local.\n"
           "add pg-1.pg.db.svc.cluster.local. 30 IN A 10.4.0.9"},
      },
      *zone);
}

TEST(ZoneAnswer, ReverseNamesPointToServicesAndEndpoints) {
  const auto zone = small_cluster();
  expect_all(
      {
          {"1.0.96.10.in-addr.arpa", RecordType::kPtr,
           "NOERROR\n1.0.96.10.in-addr.arpa. 30 IN PTR kubernetes.default.svc.cluster.local."},
          {"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
           RecordType::kPtr,
           "NOERROR\n2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa. 30 "
           "IN PTR dual.default.svc.cluster.local."},
          {"5.0.4.10.in-addr.arpa", RecordType::kPtr,
           "NOERROR\n5.0.4.10.in-addr.arpa. 30 IN PTR pg-0.pg.db.svc.cluster.local."},
          {"7.0.4.10.in-addr.arpa", RecordType::kPtr,
           "NOERROR\n7.0.4.10.in-addr.arpa. 30 IN PTR 10-4-0-7.pg.db.svc.cluster.local."},
          {"5.0.4.10.in-addr.arpa", RecordType::kA, "no data"},
          {"6.0.4.10.in-addr.arpa", RecordType::kPtr, "absent"},
          {"0.4.10.in-addr.arpa", RecordType::kPtr, "absent"},
          {"in-addr.arpa", RecordType::kPtr, "no data"},
          {"kubernetes.default.svc.cluster.local", RecordType::kPtr, "no data"},
      },
      *zone);
}

TEST(ZoneAnswer, AliasesAreFollowedInsideOfTheCluster) {
  const auto zone = small_cluster();
  expect_all(
      {
          {"inside.default.svc.cluster.local", RecordType::kA,
           "NOERROR\ninside.default.svc.cluster.local. 30 IN CNAME "
           "kubernetes.default.svc.cluster.local.\n"
           "kubernetes.default.svc.cluster.local. 30 IN A 10.96.0.1"},
          {"outside.default.svc.cluster.local", RecordType::kA,
           "NOERROR\noutside.default.svc.cluster.local. 30 IN CNAME Www.Example.com."},
          {"outside.default.svc.cluster.local", RecordType::kCname,
           "NOERROR\noutside.default.svc.cluster.local. 30 IN CNAME Www.Example.com."},
          {"nowhere.default.svc.cluster.local", RecordType::kA,
           "NXDOMAIN\nnowhere.default.svc.cluster.local. 30 IN CNAME "
           "missing.default.svc.cluster.local."},
          {"egg.default.svc.cluster.local", RecordType::kAaaa, "loop"},
          {"outside.default.svc.cluster.local", RecordType::kTxt, "no data"},
          {"outside.default.svc.cluster.local", RecordType::kSrv, "no data"},
          {"x.outside.default.svc.cluster.local", RecordType::kA, "absent"},
          {"_a._tcp.outside.default.svc.cluster.local", RecordType::kSrv, "absent"},
          {"number.default.svc.cluster.local", RecordType::kA, "absent"},
          {"kubernetes.default.svc.cluster.local", RecordType::kCname, "no data"},
      },
      *zone);
  EXPECT_EQ(ask(*zone, query("outside.default.svc.cluster.local", RecordType::kA)).reply,
            ZoneReply::kAlias);
  EXPECT_EQ(ask(*zone, query("outside.default.svc.cluster.local", RecordType::kCname)).reply,
            ZoneReply::kAnswer);
}

// Clients go on to the next name of their search list after "no such name", and stop after "no
// such data": which of the two it is decides whether a pod finds a name.
TEST(ZoneAnswer, ANameWithAnythingAtOrBelowItIsNeverDenied) {
  const auto zone = small_cluster();
  std::vector<Case> cases;
  for (const char* name : {"cluster.local", "svc.cluster.local", "pod.cluster.local",
                           "dns.cluster.local", "default.svc.cluster.local", "db.svc.cluster.local",
                           "empty.svc.cluster.local", "default.pod.cluster.local"})
    for (const auto type : {RecordType::kA, RecordType::kTxt, RecordType::kSrv})
      cases.push_back({name, type, "no data"});
  for (const auto type : {RecordType::kAaaa, RecordType::kTxt, RecordType::kMx, RecordType::kHttps,
                          RecordType::kSoa, RecordType::kNs, static_cast<RecordType>(65280)})
    cases.push_back({"kubernetes.default.svc.cluster.local", type, "no data"});
  expect_all(cases, *zone);
}

TEST(ZoneAnswer, WhatIsNotThereIsDenied) {
  const auto zone = small_cluster();
  std::vector<Case> cases;
  for (const char* name :
       {"x.cluster.local", "missing.svc.cluster.local", "missing.pod.cluster.local",
        "x.default.svc.cluster.local", "x.kubernetes.default.svc.cluster.local",
        "10-96-0-1.kubernetes.default.svc.cluster.local",
        "_http._tcp.kubernetes.default.svc.cluster.local",
        "_https._udp.kubernetes.default.svc.cluster.local",
        "https.tcp.kubernetes.default.svc.cluster.local", "_._tcp.plain.default.svc.cluster.local",
        "a._https._tcp.kubernetes.default.svc.cluster.local", "pg-2.pg.db.svc.cluster.local",
        "_pg._udp.pg.db.svc.cluster.local", "*.default.svc.cluster.local",
        "none-ready.db.svc.cluster.local", "x.y.pod.cluster.local",
        "google.com.default.svc.cluster.local", "x.dns.cluster.local"})
    for (const auto type : {RecordType::kA, RecordType::kAaaa, RecordType::kSrv, RecordType::kTxt})
      cases.push_back({name, type, "absent"});
  expect_all(cases, *zone);
}

TEST(ZoneAnswer, TheZoneItselfAnswers) {
  const auto zone = small_cluster();
  expect_all(
      {
          {"cluster.local", RecordType::kSoa,
           "NOERROR\ncluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. "
           "1700000000 7200 1800 86400 30"},
          {"cluster.local", RecordType::kNs,
           "NOERROR\ncluster.local. 30 IN NS ns.dns.cluster.local.\n"
           "add ns.dns.cluster.local. 30 IN A 10.96.0.10"},
          {"ns.dns.cluster.local", RecordType::kA,
           "NOERROR\nns.dns.cluster.local. 30 IN A 10.96.0.10"},
          {"ns.dns.cluster.local", RecordType::kAaaa, "no data"},
          {"dns-version.cluster.local", RecordType::kTxt,
           "NOERROR\ndns-version.cluster.local. 28800 IN TXT \"1.1.0\""},
          {"dns-version.cluster.local", RecordType::kA, "no data"},
          {"kubernetes.default.svc.cluster.local", RecordType::kAny,
           "NOERROR\nkubernetes.default.svc.cluster.local. 30 IN HINFO \"RFC8482\" \"\""},
          {"default.svc.cluster.local", RecordType::kAny,
           "NOERROR\ndefault.svc.cluster.local. 30 IN HINFO \"RFC8482\" \"\""},
      },
      *zone);
  EXPECT_EQ(text_of(ask(*zone, query("default.svc.cluster.local", RecordType::kA)).message),
            "NOERROR\nauth cluster.local. 30 IN SOA ns.dns.cluster.local. "
            "hostmaster.cluster.local. 1700000000 7200 1800 86400 30");
}

TEST(ZoneAnswer, PodsAreTheirAddresses) {
  const auto zone = small_cluster();
  expect_all(
      {
          {"10-4-0-5.default.pod.cluster.local", RecordType::kA,
           "NOERROR\n10-4-0-5.default.pod.cluster.local. 30 IN A 10.4.0.5"},
          {"10-4-0-5.default.pod.cluster.local", RecordType::kAaaa, "no data"},
          {"fd00--5.default.pod.cluster.local", RecordType::kAaaa,
           "NOERROR\nfd00--5.default.pod.cluster.local. 30 IN AAAA fd00::5"},
          {"10-4-0-500.default.pod.cluster.local", RecordType::kA, "absent"},
          {"pod.default.pod.cluster.local", RecordType::kA, "absent"},
          {"10-4-0-5.missing.pod.cluster.local", RecordType::kA, "absent"},
          {"a.10-4-0-5.default.pod.cluster.local", RecordType::kA, "absent"},
      },
      *zone);
  auto options = zone_options();
  options.pods = PodRecords::kDisabled;
  ZoneBuilder builder(options);
  builder.put_namespace("default");
  const auto without = builder.zone(1);
  expect_all({{"10-4-0-5.default.pod.cluster.local", RecordType::kA, "absent"},
              {"default.pod.cluster.local", RecordType::kA, "absent"},
              {"pod.cluster.local", RecordType::kA, "no data"}},
             *without);
}

// A headless Service of `count` endpoints.
std::shared_ptr<const ClusterZone> wide_cluster(unsigned count) {
  ZoneBuilder builder(zone_options());
  builder.put(headless_service("default", "headless"));
  std::vector<weft::Endpoint> endpoints;
  for (unsigned i = 0; i < count; ++i) {
    weft::Endpoint each;
    each.addresses = {IpAddress::v4(0x0a040000U + i)};
    endpoints.push_back(each);
  }
  builder.put(slice_of("default", "headless", "wide", endpoints, kPgPort));
  return builder.zone(1);
}

TEST(ZoneAnswer, AsManyRecordsAsFitAreKept) {
  const auto zone = wide_cluster(10'000);
  const std::string asked = query("headless.default.svc.cluster.local", RecordType::kA);
  const auto answers = [&](std::size_t limit) {
    const std::string message = ask(*zone, asked, 0, limit).message;
    const Header header = Header::read(message);
    EXPECT_TRUE(header.truncated);
    EXPECT_LE(message.size(), limit);
    EXPECT_EQ(text_of(message).find("broken"), std::string::npos);
    return header.answers;
  };
  EXPECT_EQ(answers(512), 28);
  EXPECT_EQ(answers(1232), 73);
  EXPECT_EQ(answers(kLargestMessage), 4092);
  const std::string srv =
      ask(*zone, query("_pg._tcp.headless.default.svc.cluster.local", RecordType::kSrv), 0, 1232)
          .message;
  EXPECT_TRUE(Header::read(srv).truncated);
  EXPECT_GT(Header::read(srv).answers, 10);
}

TEST(ZoneAnswer, EachTurnBeginsWithAnotherRecord) {
  const auto zone = wide_cluster(10);
  const std::string asked = query("headless.default.svc.cluster.local", RecordType::kA);
  std::set<std::string> firsts;
  for (std::uint32_t turn = 0xfffffff8; turn != 8; ++turn) {
    const std::string message = ask(*zone, asked, turn).message;
    EXPECT_EQ(Header::read(message).answers, 10);
    firsts.insert(message.substr(asked.size(), 16));
  }
  EXPECT_EQ(firsts.size(), 10U);
}

TEST(ZoneAnswer, TheLongestZoneCounts) {
  ZoneBuilder builder(zone_options({"local", "cluster.local"}));
  builder.put(cluster_service("a", "b", {"10.0.0.1"}));
  const auto zone = builder.zone(1);
  EXPECT_EQ(ask_text(*zone, "b.a.svc.cluster.local", RecordType::kA),
            "NOERROR\nb.a.svc.cluster.local. 30 IN A 10.0.0.1");
  EXPECT_EQ(ask_text(*zone, "b.a.svc.local", RecordType::kA),
            "NOERROR\nb.a.svc.local. 30 IN A 10.0.0.1");
  EXPECT_EQ(zone_of(*zone, LookupName(Name::parse("example.com")->wire())), nullptr);
}

// What a thread does for each query: nothing of it may wait for the allocator.
TEST(ZoneAnswer, NoMemoryIsAllocatedForAQuery) {
  const auto zone = small_cluster();
  const auto wide = wide_cluster(200);
  const std::pair<const char*, RecordType> questions[] = {
      {"kubernetes.default.svc.cluster.local", RecordType::kA},
      {"kubernetes.default.svc.cluster.local", RecordType::kAaaa},
      {"google.com.default.svc.cluster.local", RecordType::kA},
      {"_https._tcp.kubernetes.default.svc.cluster.local", RecordType::kSrv},
      {"_pg._tcp.pg.db.svc.cluster.local", RecordType::kSrv},
      {"pg-0.pg.db.svc.cluster.local", RecordType::kA},
      {"inside.default.svc.cluster.local", RecordType::kA},
      {"fd00-1111-2222-3333-4444-5555-6666-7777.default.pod.cluster.local", RecordType::kAaaa},
      {"1.0.96.10.in-addr.arpa", RecordType::kPtr},
      {"5.0.4.10.in-addr.arpa", RecordType::kPtr},
      {"cluster.local", RecordType::kNs},
      {"headless.default.svc.cluster.local", RecordType::kA},
  };
  std::array<char, 1232> room;
  for (const auto& [name, type] : questions) {
    const std::string message = test::edns_query(name, type);
    for (const ClusterZone* each : {zone.get(), wide.get()}) {
      const std::size_t before = weft::test::allocation_count();
      const auto received = read_query(message);
      MessageWriter writer(room, udp_limit(received.query));
      writer.begin(received.query);
      const LookupName lookup(received.query.name);
      const ServedZone* in = zone_of(*each, lookup);
      ZoneAnswer answer(*each, writer, 3);
      if (answer.write(*in, lookup, received.query.type) == ZoneReply::kAbsent)
        answer.write_denial(*in);
      writer.finish(reply_header(received.query, Rcode::kNoError));
      EXPECT_EQ(weft::test::allocation_count(), before) << name << " " << to_string(type);
    }
  }
}

}  // namespace
}  // namespace weft::dns
