#include "dns/zone_transfer.h"

#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "dns/responder.h"
#include "dns/transfer_plugin.h"
#include "unit/dns/clusters.h"

namespace weft::dns {
namespace {

using test::cluster_service;
using test::endpoint;
using test::external_service;
using test::headless_service;
using test::query;
using test::slice_of;
using test::text_of;
using test::zone_options;

// Asks for the zone as a secondary does, and reads to the end of the answer.
class Transfers : public testing::Test {
 protected:
  Transfers() : builder_(zone_options()), zones_(builder_.zone(1)) { builder_.set_complete(); }

  std::vector<std::string> ask(const TransferOptions& options, const char* name = "cluster.local",
                               RecordType type = RecordType::kAxfr, bool over_tcp = true) {
    zones_.set(builder_.zone(7));
    std::vector<ServerBlock> blocks(1);
    blocks[0].zones = {Name()};
    blocks[0].plugins.push_back(std::make_unique<TransferPlugin>(zones_, options));
    Responder responder(std::move(blocks), {});
    const Client client{
        .address = *IpAddress::parse("10.4.0.1"), .port = 5353, .over_tcp = over_tcp};
    std::array<char, kLargestMessage> room;
    std::vector<std::string> messages;
    std::size_t size = responder.handle(query(name, type), client, room);
    const auto rest = responder.take_rest();
    for (; size != 0; size = rest == nullptr ? 0 : rest->next(room)) {
      messages.emplace_back(room.data(), size);
      EXPECT_LE(size, ZoneTransfer::kMessage);
    }
    return messages;
  }
  // The records of all messages, a line each.
  static std::vector<std::string> lines_of(const std::vector<std::string>& messages) {
    std::vector<std::string> lines;
    for (const std::string& message : messages) {
      std::istringstream text(text_of(message));
      std::string line;
      std::getline(text, line);
      EXPECT_EQ(line, "NOERROR aa");
      while (std::getline(text, line)) lines.push_back(line);
    }
    return lines;
  }

  const TransferOptions everybody_{.zones = {Name()}, .to_all = true};
  ZoneBuilder builder_;
  Published<ClusterZone> zones_;
};

TEST_F(Transfers, HaveTheWholeZoneBetweenTwoSoas) {
  builder_.put(cluster_service("shop", "web", {"10.96.0.1", "fd00::1"},
                               {{.name = "http", .port = 80}, {.port = 8080}}));
  builder_.put(headless_service("shop", "db"));
  builder_.put(slice_of("shop", "db", "db-1", {endpoint("10.4.0.5", "db-0"), endpoint("10.4.0.6")},
                        {{.name = "pg", .port = 5432}}));
  builder_.put(slice_of("shop", "db", "db-2", {endpoint("fd00:4::5", "db-0")},
                        {{.name = "pg", .port = 5432}}));
  builder_.put(headless_service("shop", "idle"));
  builder_.put(external_service("shop", "out", "www.example.com"));
  const auto messages = ask(everybody_);
  ASSERT_EQ(messages.size(), 1U);
  const std::string soa =
      "cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5";
  std::vector<std::string> lines = lines_of(messages);
  for (std::string& line : lines)
    for (std::size_t at = line.find(" 30 IN"); at != std::string::npos; at = line.find(" 30 IN"))
      line.replace(at, 6, " 5 IN");
  std::vector<std::string> expected = {
      "cluster.local. 5 IN NS ns.dns.cluster.local.",
      "ns.dns.cluster.local. 5 IN A 10.96.0.10",
      "dns-version.cluster.local. 28800 IN TXT \"1.1.0\"",
      "db.shop.svc.cluster.local. 5 IN A 10.4.0.5",
      "db-0.db.shop.svc.cluster.local. 5 IN A 10.4.0.5",
      "db.shop.svc.cluster.local. 5 IN SRV 0 33 5432 db-0.db.shop.svc.cluster.local.",
      "_pg._tcp.db.shop.svc.cluster.local. 5 IN SRV 0 33 5432 db-0.db.shop.svc.cluster.local.",
      "db.shop.svc.cluster.local. 5 IN A 10.4.0.6",
      "10-4-0-6.db.shop.svc.cluster.local. 5 IN A 10.4.0.6",
      "db.shop.svc.cluster.local. 5 IN SRV 0 33 5432 10-4-0-6.db.shop.svc.cluster.local.",
      "_pg._tcp.db.shop.svc.cluster.local. 5 IN SRV 0 33 5432 10-4-0-6.db.shop.svc.cluster.local.",
      "db.shop.svc.cluster.local. 5 IN AAAA fd00:4::5",
      "db-0.db.shop.svc.cluster.local. 5 IN AAAA fd00:4::5",
      "out.shop.svc.cluster.local. 5 IN CNAME www.example.com.",
      "web.shop.svc.cluster.local. 5 IN A 10.96.0.1",
      "web.shop.svc.cluster.local. 5 IN AAAA fd00::1",
      "web.shop.svc.cluster.local. 5 IN SRV 0 25 80 web.shop.svc.cluster.local.",
      "_http._tcp.web.shop.svc.cluster.local. 5 IN SRV 0 50 80 web.shop.svc.cluster.local.",
      "web.shop.svc.cluster.local. 5 IN SRV 0 25 8080 web.shop.svc.cluster.local.",
  };
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.front().substr(0, 22), soa.substr(0, 22));
  EXPECT_NE(lines.front().find(" 7 7200 1800 86400 "), std::string::npos) << lines.front();
  EXPECT_EQ(lines.back(), lines.front());
  EXPECT_EQ(std::vector<std::string>(lines.begin() + 1, lines.end() - 1), expected);
}

// Each record once, however the messages are cut, within Services too.
TEST_F(Transfers, OfALargeZoneAreManyMessages) {
  constexpr unsigned kServices = 2000;
  constexpr unsigned kEndpoints = 3000;
  for (unsigned i = 0; i < kServices; ++i)
    builder_.put(Service{.name = {.ns = "shop", .name = "web-" + std::to_string(i)},
                         .cluster_ips = {IpAddress::v4(0x0a600100U + i)},
                         .ports = {{.name = "http", .port = 80}}});
  builder_.put(headless_service("shop", "db"));
  std::vector<weft::Endpoint> endpoints;
  for (unsigned i = 0; i < kEndpoints; ++i)
    endpoints.push_back({.addresses = {IpAddress::v4(0x0a040000U + i)}});
  builder_.put(
      slice_of("shop", "db", "db-1", std::move(endpoints), {{.name = "pg", .port = 5432}}));
  const auto messages = ask(everybody_);
  EXPECT_GT(messages.size(), 10U);
  const std::vector<std::string> lines = lines_of(messages);
  EXPECT_EQ(lines.size(), 5 + 3 * kServices + 4 * kEndpoints);
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), lines.size() - 1)
      << "only the SOA stands there twice";
}

TEST_F(Transfers, AreForWhoMayAndAsksRightly) {
  const auto verdict = [&](const TransferOptions& options, const char* name = "cluster.local",
                           RecordType type = RecordType::kAxfr, bool over_tcp = true) {
    const auto messages = ask(options, name, type, over_tcp);
    const std::string text = text_of(messages.front());
    return text.substr(0, text.find_first_of(" \n"));
  };
  const auto to = [](const char* network) {
    return TransferOptions{.zones = {Name()}, .to = {*Prefix::parse(network)}};
  };
  EXPECT_EQ(verdict(everybody_), "NOERROR");
  EXPECT_EQ(verdict(everybody_, "Cluster.LOCAL"), "NOERROR");
  EXPECT_EQ(verdict(everybody_, "cluster.local", RecordType::kIxfr), "NOERROR")
      << "the whole zone is an answer, too";
  EXPECT_EQ(verdict(to("10.4.0.0/16")), "NOERROR");
  EXPECT_EQ(verdict(to("10.5.0.0/16")), "REFUSED");
  EXPECT_EQ(verdict(to("fd00::/8")), "REFUSED");
  EXPECT_EQ(verdict(everybody_, "cluster.local", RecordType::kAxfr, false), "REFUSED") << "UDP";
  EXPECT_EQ(verdict(everybody_, "svc.cluster.local"), "REFUSED") << "no zone";
  EXPECT_EQ(verdict(everybody_, "in-addr.arpa"), "REFUSED") << "of no Services";
}

TEST_F(Transfers, BeforeEverythingIsReadFail) {
  ZoneBuilder unread(zone_options());
  builder_ = std::move(unread);
  EXPECT_TRUE(text_of(ask(everybody_).front()).starts_with("SERVFAIL"));
}

}  // namespace
}  // namespace weft::dns
