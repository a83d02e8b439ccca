#include "dns/reply.h"

#include <array>

#include <gtest/gtest.h>

#include "dns/query.h"
#include "unit/dns/packets.h"

namespace weft::dns {
namespace {

using test::question;
using test::text_of;
using test::word;

std::string record(const std::string& owner, unsigned type, std::uint32_t ttl,
                   const std::string& data) {
  std::string number(4, '\0');
  put_number(number.data(), ttl);
  return owner + word(type) + word(1) + number + word(static_cast<unsigned>(data.size())) + data;
}
const std::string kAsked = "\xc0\x0c";  // a pointer to the question's name

std::string wire(std::string_view name) {
  return std::string(Name::parse(name)->wire());
}

struct Counts {
  std::uint16_t answers = 0;
  std::uint16_t authorities = 0;
  std::uint16_t additionals = 0;
};

std::string reply(const std::string& records, const Counts& counts, Rcode rcode = Rcode::kNoError) {
  return test::header({.id = 99,
                       .is_response = true,
                       .recursion_available = true,
                       .rcode = rcode,
                       .questions = 1,
                       .answers = counts.answers,
                       .authorities = counts.authorities,
                       .additionals = counts.additionals}) +
         question("www.example", RecordType::kA) + records;
}

std::string addresses(unsigned count) {
  std::string records;
  for (unsigned i = 0; i < count; ++i)
    records += record(kAsked, 1, 60, std::string("\x0a\x00\x00", 3) + static_cast<char>(i));
  return reply(records, {.answers = static_cast<std::uint16_t>(count)});
}

// What a client that has sent `query` is told.
std::string handed_on(const Reply& reply, const std::string& query,
                      const Reply::Manner& manner = {}, std::size_t limit = kUdpSize) {
  const ReceivedQuery received = read_query(query);
  std::array<char, kLargestMessage> room;
  MessageWriter writer(room, limit);
  writer.begin(received.query);
  reply.write(writer, manner);
  return {room.data(), writer.finish(reply_header(received.query, reply.rcode()))};
}

TEST(Reply, IsHandedOnWithTheClientsQuestion) {
  Reply held;
  ASSERT_TRUE(held.read(reply(record(kAsked, 5, 300, wire("web.example")) +
                                  record(wire("web.example"), 1, 30, "\x0a\x01\x02\x03") +
                                  test::Opt{}.bytes(),
                              {.answers = 2, .additionals = 1})));
  const std::string answer = handed_on(held, test::query("WWW.example", RecordType::kA, 5));
  EXPECT_EQ(Header::read(answer).id, 5);
  EXPECT_EQ(text_of(answer),
            "NOERROR\nWWW.example. 300 IN CNAME web.example.\nweb.example. 30 IN A 10.1.2.3");
  EXPECT_EQ(Header::read(answer).additionals, 0) << "OPT is between two servers alone";
  EXPECT_EQ(held.shortest_ttl(), 30U);
}

TEST(Reply, TtlsAreThoseOfTheManner) {
  Reply held;
  ASSERT_TRUE(held.read(reply(record(kAsked, 1, 10, "\x0a\x01\x02\x03") +
                                  record(kAsked, 1, 0x80000000U, "\x0a\x01\x02\x04"),
                              {.answers = 2})));
  const auto ttls = [&](const Reply::Manner& manner) {
    const std::string text =
        text_of(handed_on(held, test::query("www.example", RecordType::kA), manner));
    const auto first = text.find(". ");
    const auto second = text.find(". ", first + 2);
    return text.substr(first + 2, text.find(" IN") - first - 2) + " " +
           text.substr(second + 2, text.find(" IN", second) - second - 2);
  };
  EXPECT_EQ(ttls({}), "10 0");
  EXPECT_EQ(ttls({.age = 4}), "6 0");
  EXPECT_EQ(ttls({.least_ttl = 5}), "10 5");
  EXPECT_EQ(ttls({.age = 1, .least_ttl = 5, .most_ttl = 8}), "7 4");
  EXPECT_EQ(ttls({.age = 99, .ttl = 30}), "30 30");
}

TEST(Reply, AddressesTakeTurns) {
  Reply held;
  ASSERT_TRUE(held.read(addresses(3)));
  const auto first = [&](std::uint32_t turn) {
    const std::string text =
        text_of(handed_on(held, test::query("www.example", RecordType::kA), {.turn = turn}));
    return text.substr(0, text.find('\n', 8)).substr(text.rfind("10.0.0", text.find('\n', 8)));
  };
  EXPECT_EQ(first(0), "10.0.0.0");
  EXPECT_EQ(first(1), "10.0.0.1");
  EXPECT_EQ(first(5), "10.0.0.2");
}

TEST(Reply, WhatDoesNotFitIsCutAtARecord) {
  Reply held;
  ASSERT_TRUE(held.read(addresses(100)));
  const std::string cut =
      handed_on(held, test::query("www.example", RecordType::kA), {}, kPlainUdpSize);
  const Header header = Header::read(cut);
  EXPECT_TRUE(header.truncated);
  EXPECT_EQ(header.answers, (512 - 12 - 17) / 16);
  EXPECT_LE(cut.size(), kPlainUdpSize);
  EXPECT_EQ(text_of(cut).find("broken"), std::string::npos);
}

TEST(Reply, AdditionsGoBeforeTheAnswerIsCut) {
  Reply held;
  std::string records;
  for (int i = 0; i < 25; ++i) records += record(kAsked, 1, 60, "\x0a\x01\x02\x03");
  records += record(wire("ns.example"), 16, 60, std::string(200, 'x'));
  ASSERT_TRUE(held.read(reply(records, {.answers = 25, .additionals = 1})));
  const std::string answer =
      handed_on(held, test::query("www.example", RecordType::kA), {}, kPlainUdpSize);
  EXPECT_FALSE(Header::read(answer).truncated);
  EXPECT_EQ(Header::read(answer).answers, 25);
  EXPECT_EQ(Header::read(answer).additionals, 0);
}

TEST(Reply, BehindAnAliasRecordsAreWrittenAnew) {
  Reply held;
  ASSERT_TRUE(
      held.read(reply(record(kAsked, 5, 300, "\3web" + std::string("\xc0\x10")) +
                          record("\3web" + std::string("\xc0\x10"), 1, 30, "\x0a\x01\x02\x03"),
                      {.answers = 2})));
  const std::string asked = test::query("shop.default.svc.cluster.local", RecordType::kA);
  const ReceivedQuery received = read_query(asked);
  std::array<char, kLargestMessage> room;
  MessageWriter writer(room, kUdpSize);
  writer.begin(received.query);
  writer.record(Section::kAnswer, received.query.name, RecordType::kCname, 5,
                [](RecordData& data) { data.name(wire("www.example")); });
  held.write(writer, {});
  const std::string answer(room.data(),
                           writer.finish(reply_header(received.query, Rcode::kNoError)));
  EXPECT_EQ(text_of(answer),
            "NOERROR\nshop.default.svc.cluster.local. 5 IN CNAME www.example.\n"
            "www.example. 300 IN CNAME web.example.\nweb.example. 30 IN A 10.1.2.3");
}

TEST(Reply, ADenialMayBeKeptAsItsSoaSays) {
  std::string numbers(20, '\0');
  put_number(numbers.data() + 16, 40);
  Reply held;
  ASSERT_TRUE(held.read(reply(
      record(wire("example"), 6, 900, wire("ns.example") + wire("hostmaster.example") + numbers),
      {.authorities = 1}, Rcode::kNameError)));
  EXPECT_EQ(held.denial_ttl(), 40U);
  EXPECT_EQ(held.rcode(), Rcode::kNameError);
  Reply without;
  ASSERT_TRUE(without.read(reply("", {}, Rcode::kNameError)));
  EXPECT_EQ(without.denial_ttl(), std::nullopt);
}

TEST(Reply, WhatIsNoWholeResponseIsRefused) {
  Reply held;
  const std::string good = addresses(1);
  EXPECT_TRUE(held.read(good));
  EXPECT_FALSE(held.read(""));
  EXPECT_FALSE(held.read(test::query("www.example", RecordType::kA))) << "a query";
  EXPECT_FALSE(held.read(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(held.read(good + "x"));
  EXPECT_FALSE(held.read(reply(record(kAsked, 5, 1, "\xc0\xff"), {.answers = 1})))
      << "a name that leads out of the message";
  EXPECT_FALSE(held.read(reply(record(kAsked, 5, 1, "\4web"), {.answers = 1})))
      << "a name that does not end within its data";
  EXPECT_FALSE(held.read(reply(test::Opt{}.bytes() + test::Opt{}.bytes(), {.additionals = 2})));
  EXPECT_FALSE(held.read(reply(test::Opt{}.bytes(), {.answers = 1})));
}

}  // namespace
}  // namespace weft::dns
