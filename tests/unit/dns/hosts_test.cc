#include <array>

#include <gtest/gtest.h>

#include "dns/hosts_plugin.h"
#include "dns/hosts_table.h"
#include "dns/responder.h"
#include "support/allocation_count.h"
#include "unit/dns/packets.h"

namespace weft::dns {
namespace {

constexpr const char* kFile =
    "# comment\n"
    "127.0.0.1\tlocalhost loopback\r\n"
    "::1 localhost\n"
    "10.0.0.1 Node1.example node1 # its short name\n"
    "10.0.0.2 node1.example\n"
    "10.0.0.2 node1.example\n"
    "10.0.0.9 *.apps.example\n"
    "fe80::1%eth0 link.example\n"
    "10.0.0.300 bad.example\n"
    "10.0.0.4 a..b . ok.example\n"
    "10.0.0.5\n";

std::string addresses(const HostsTable& table, const char* name) {
  const auto* found = table.addresses_of(LookupName(Name::parse(name)->wire()));
  if (found == nullptr) return "absent";
  std::string text;
  for (const auto& address : *found) text += address.to_string() + " ";
  return text;
}

TEST(HostsTable, IsReadAsEverybodyReadsIt) {
  const HostsTable table = HostsTable::parse(kFile, {"10.0.0.7 inline.example"});
  EXPECT_EQ(addresses(table, "localhost"), "127.0.0.1 ::1 ");
  EXPECT_EQ(addresses(table, "NODE1.example"), "10.0.0.1 10.0.0.2 ");
  EXPECT_EQ(addresses(table, "node1"), "10.0.0.1 ");
  EXPECT_EQ(addresses(table, "link.example"), "fe80::1 ");
  EXPECT_EQ(addresses(table, "ok.example"), "10.0.0.4 ");
  EXPECT_EQ(addresses(table, "inline.example"), "10.0.0.7 ");
  for (const char* absent : {"bad.example", "example", "its", "x.node1.example"})
    EXPECT_EQ(addresses(table, absent), "absent") << absent;
  EXPECT_EQ(table.names_of(*IpAddress::parse("10.0.0.1"))->size(), 2U);
  EXPECT_EQ(table.names_of(*IpAddress::parse("10.0.0.5")), nullptr);
}

TEST(HostsTable, AStarIsAnyOneLabel) {
  const HostsTable table = HostsTable::parse(kFile);
  EXPECT_EQ(addresses(table, "x.apps.example"), "10.0.0.9 ");
  EXPECT_EQ(addresses(table, "apps.example"), "absent");
  EXPECT_EQ(addresses(table, "y.x.apps.example"), "absent");
}

TEST(HostsTable, LookingUpAllocatesNothing) {
  const HostsTable table = HostsTable::parse(kFile);
  const Name name = *Name::parse("a-long-label-that-fits-no-small-string.apps.example");
  const std::size_t before = weft::test::allocation_count();
  EXPECT_NE(table.addresses_of(LookupName(name.wire())), nullptr);
  EXPECT_EQ(weft::test::allocation_count(), before);
}

class HostsPluginTest : public ::testing::Test {
 protected:
  // What a block with the plugin alone says.
  std::string ask(const char* name, RecordType type) const {
    ServerBlock block;
    block.zones = {Name()};
    block.plugins.push_back(std::make_unique<HostsPlugin>(tables_, options_));
    std::vector<ServerBlock> blocks;
    blocks.push_back(std::move(block));
    Responder responder(std::move(blocks), {});
    std::array<char, kUdpSize> room;
    const std::size_t size = responder.handle(test::query(name, type), {}, room);
    return test::text_of({room.data(), size});
  }

  Published<HostsTable> tables_{std::make_shared<const HostsTable>(HostsTable::parse(kFile))};
  HostsOptions options_{.zones = {Name()}, .ttl = std::chrono::seconds(60)};
};

TEST_F(HostsPluginTest, AnswersBothWays) {
  EXPECT_EQ(ask("Node1.example", RecordType::kA),
            "NOERROR aa\nNode1.example. 60 IN A 10.0.0.1\nNode1.example. 60 IN A 10.0.0.2");
  EXPECT_EQ(ask("localhost", RecordType::kAaaa), "NOERROR aa\nlocalhost. 60 IN AAAA ::1");
  EXPECT_EQ(ask("1.0.0.10.in-addr.arpa", RecordType::kPtr),
            "NOERROR aa\n1.0.0.10.in-addr.arpa. 60 IN PTR Node1.example.\n"
            "1.0.0.10.in-addr.arpa. 60 IN PTR node1.");
  EXPECT_EQ(ask("node1.example", RecordType::kAaaa), "NOERROR aa");
  EXPECT_EQ(ask("node1.example", RecordType::kMx), "NOERROR aa");
}

TEST_F(HostsPluginTest, WhatItDoesNotHaveFailsOrFallsThrough) {
  const auto falls_through = [&](const char* name, RecordType type) {
    const std::string message = test::edns_query(name, type);
    HostsPlugin plugin(tables_, options_);
    const auto received = read_query(message);
    std::array<char, kUdpSize> room;
    MessageWriter writer(room, room.size());
    writer.begin(received.query);
    const Client client;
    PendingQueries pending(0);
    Exchange exchange{.query = received.query,
                      .client = client,
                      .received = received.query,
                      .name = LookupName(received.query.name),
                      .writer = writer,
                      .pending = pending};
    return plugin.serve(exchange) == Step::kNext;
  };
  EXPECT_EQ(ask("no.example", RecordType::kA), "SERVFAIL");
  EXPECT_FALSE(falls_through("no.example", RecordType::kA));
  EXPECT_TRUE(falls_through("9.9.9.9.in-addr.arpa", RecordType::kPtr));
  options_.fallthrough = Fallthrough{*Name::parse("example")};
  EXPECT_TRUE(falls_through("no.example", RecordType::kA));
  EXPECT_FALSE(falls_through("node1.example", RecordType::kAaaa));
  EXPECT_FALSE(falls_through("other", RecordType::kA));
  options_.zones = {*Name::parse("example")};
  EXPECT_TRUE(falls_through("localhost", RecordType::kA)) << "a zone that is not the plugin's";
  options_.zones = {Name()};
  options_.reverse = false;
  EXPECT_FALSE(falls_through("1.0.0.10.in-addr.arpa", RecordType::kPtr));
}

}  // namespace
}  // namespace weft::dns
