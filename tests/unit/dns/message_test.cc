#include <array>

#include <gtest/gtest.h>

#include "dns/message_reader.h"
#include "dns/message_writer.h"
#include "unit/dns/packets.h"

namespace weft::dns {
namespace {

using namespace std::string_view_literals;
using test::edns_query;
using test::option;
using test::text_of;

std::string wire(std::string_view name) {
  return std::string(Name::parse(name)->wire());
}

// An answer to `message`, with what `fill` writes, of at most `limit` bytes.
template <class Fill>
std::string answer(const std::string& message, std::size_t limit, Fill fill,
                   const ServerEdns& server = {}) {
  const auto received = read_query(message);
  std::array<char, kLargestMessage> room;
  MessageWriter writer(room, limit);
  writer.begin(received.query, server);
  fill(writer);
  return {room.data(), writer.finish(reply_header(received.query, received.rcode))};
}

TEST(MessageWriter, EveryKindOfRecordReadsBack) {
  const std::string message = answer(test::query("a.example", RecordType::kA), 4096, [](auto& w) {
    const auto put = [&](RecordType type, auto fill) {
      EXPECT_TRUE(w.record(Section::kAnswer, wire("a.example"), type, 30, fill));
    };
    put(RecordType::kA, [](RecordData& d) { d.bytes("\x0a\0\0\1"sv); });
    put(RecordType::kAaaa, [](RecordData& d) { d.bytes(IpAddress::parse("fd00::1")->bytes()); });
    put(RecordType::kCname, [](RecordData& d) { d.name(wire("b.example")); });
    put(RecordType::kPtr, [](RecordData& d) { d.name(wire("A.Example")); });
    put(RecordType::kNs, [](RecordData& d) { d.name(wire(".")); });
    put(RecordType::kTxt, [](RecordData& d) {
      d.text("1.1.0");
      d.text("a \"b\" \\ \n");
    });
    put(RecordType::kHinfo, [](RecordData& d) {
      d.text("RFC8482");
      d.text("");
    });
    put(RecordType::kSrv, [](RecordData& d) {
      for (const unsigned number : {0U, 100U, 443U}) d.word(static_cast<std::uint16_t>(number));
      d.plain_name(wire("b.example"));
    });
    put(static_cast<RecordType>(65280), [](RecordData& d) { d.bytes("\0\xff"sv); });
    w.record(Section::kAuthority, wire("example"), RecordType::kSoa, 5, [](RecordData& d) {
      d.name(wire("ns.example"));
      d.name(wire("hostmaster.example"));
      for (const std::uint32_t number : {1U, 2U, 3U, 4U, 5U}) d.number(number);
    });
    w.record(Section::kAdditional, wire("b.example"), RecordType::kA, 1,
             [](RecordData& d) { d.bytes("\x0a\0\0\2"sv); });
  });
  EXPECT_EQ(text_of(message),
            "NOERROR\n"
            "a.example. 30 IN A 10.0.0.1\n"
            "a.example. 30 IN AAAA fd00::1\n"
            "a.example. 30 IN CNAME b.example.\n"
            "a.example. 30 IN PTR a.example.\n"
            "a.example. 30 IN NS .\n"
            "a.example. 30 IN TXT \"1.1.0\" \"a \\\"b\\\" \\\\ \\010\"\n"
            "a.example. 30 IN HINFO \"RFC8482\" \"\"\n"
            "a.example. 30 IN SRV 0 100 443 b.example.\n"
            "a.example. 30 IN TYPE65280 \\# 2 00ff\n"
            "auth example. 5 IN SOA ns.example. hostmaster.example. 1 2 3 4 5\n"
            "add b.example. 1 IN A 10.0.0.2");
}

TEST(MessageWriter, NamesAreCompressedButForThoseOfSrv) {
  const std::string message =
      answer(test::query("x.a.example", RecordType::kSrv), 512, [](auto& w) {
        w.record(Section::kAnswer, wire("X.A.example"), RecordType::kSrv, 1, [](RecordData& d) {
          for (int i = 0; i < 3; ++i) d.word(1);
          d.plain_name(wire("y.a.example"));
        });
        w.record(Section::kAdditional, wire("y.a.example"), RecordType::kA, 1,
                 [](RecordData& d) { d.bytes("\x0a\0\0\2"sv); });
        w.record(Section::kAdditional, wire("y.a.example"), RecordType::kA, 1,
                 [](RecordData& d) { d.bytes("\x0a\0\0\3"sv); });
      });
  const std::size_t asked = kHeaderSize + wire("x.a.example").size() + 4;
  const std::size_t srv = 2 + 10 + 6 + wire("y.a.example").size();
  const std::size_t first = 2 + 2 + 10 + 4;  // "y" and a pointer to "a.example" of the question
  const std::size_t second = 2 + 10 + 4;     // a pointer to that "y"
  EXPECT_EQ(message.size(), asked + srv + first + second);
}

TEST(MessageWriter, WhatDoesNotFitLeavesNoTrace) {
  const auto write_until_full = [](auto& w) {
    int count = 0;
    while (w.record(Section::kAnswer, wire("a.example"), RecordType::kA, 30,
                    [](RecordData& d) { d.bytes("\x0a\0\0\1"sv); }))
      ++count;
    w.mark_truncated();
    // A long one does not fit either, one without data may.
    EXPECT_FALSE(w.record(Section::kAnswer, wire("b.other"), RecordType::kTxt, 1,
                          [](RecordData& d) { d.text(std::string(300, 'x')); }));
    return count;
  };
  int count = 0;
  const std::string plain = answer(test::query("a.example", RecordType::kA), 512,
                                   [&](auto& w) { count = write_until_full(w); });
  EXPECT_LE(plain.size(), 512U);
  EXPECT_GT(plain.size(), 512U - 16U);
  EXPECT_EQ(MessageReader::open(plain)->header().answers, count);
  EXPECT_TRUE(text_of(plain).starts_with("NOERROR tc\n"));
  EXPECT_EQ(text_of(plain).find("broken"), std::string::npos);
  // The OPT record has its room even so.
  const std::string edns = answer(edns_query("a.example", RecordType::kA), 512,
                                  [&](auto& w) { count = write_until_full(w); });
  EXPECT_LE(edns.size(), 512U);
  EXPECT_EQ(MessageReader::open(edns)->header().additionals, 1);
}

// All records of an answer's OPT: its size, flags and options as hexadecimal digits.
std::string opt_of(const std::string& message) {
  auto reader = MessageReader::open(message);
  while (const auto record = reader->next())
    if (record->type == RecordType::kOpt)
      return std::to_string(record->record_class) + " " + std::to_string(record->ttl) + " " +
             to_text(message, *record).substr(to_text(message, *record).find('\\'));
  return "none";
}

TEST(MessageWriter, TheOptRecordAnswersThatOfTheQuery) {
  const auto nothing = [](auto&) {};
  const ServerEdns server{.server_id = "node1", .idle_deciseconds = 100};
  EXPECT_EQ(opt_of(answer(test::query("a", RecordType::kA), 512, nothing, server)), "none");
  EXPECT_EQ(opt_of(answer(edns_query("a", RecordType::kA), 512, nothing, server)), "1232 0 \\# 0");
  EXPECT_EQ(opt_of(answer(edns_query("a", RecordType::kA, {.udp_size = 99, .dnssec_ok = true}), 512,
                          nothing)),
            "1232 32768 \\# 0");
  EXPECT_EQ(opt_of(answer(edns_query("a", RecordType::kA, {.options = option(3, "")}), 512, nothing,
                          server)),
            "1232 0 \\# 9 000300056e6f646531");
  EXPECT_EQ(opt_of(answer(edns_query("a", RecordType::kA, {.options = option(11, "")}), 512,
                          nothing, server)),
            "1232 0 \\# 6 000b00020064");
  EXPECT_EQ(opt_of(answer(edns_query("a", RecordType::kA), 512,
                          [](auto& w) { w.explain(ExtendedError::kNotReady, "wait"); })),
            "1232 0 \\# 10 000f0006000e77616974");
  // BADVERS needs the upper bits of the rcode, which the OPT record holds.
  EXPECT_EQ(opt_of(answer(edns_query("a", RecordType::kA, {.version = 1}), 512, nothing)),
            "1232 16777216 \\# 0");
}

TEST(MessageWriter, AnExplanationNeverCostsARecord) {
  const std::string message = answer(edns_query("a", RecordType::kA), 512, [](auto& w) {
    while (w.record(Section::kAnswer, wire("a"), RecordType::kA, 30,
                    [](RecordData& d) { d.bytes("\x0a\0\0\1"sv); })) {
    }
    w.explain(ExtendedError::kOther, std::string(200, 'x'));
  });
  EXPECT_EQ(opt_of(message), "1232 0 \\# 0");
}

TEST(MessageWriter, TheSourceIsToldToWhoAsksAndNeverCostsARecord) {
  const std::string asking = test::source_query("a.example", RecordType::kTxt);
  const auto told = [](const std::string& query, std::size_t text) {
    return test::source_of(answer(query, 512, [&](auto& w) {
      w.record(Section::kAnswer, wire("a.example"), RecordType::kTxt, 30,
               [&](RecordData& data) { data.bytes(std::string(text, 'x')); });
      w.tell_source("cluster");
      w.tell_source("forward");
      w.add_source("cache");
    }));
  };
  EXPECT_EQ(told(asking, 10), "cluster, then cache");
  EXPECT_EQ(told(asking, 449), "cluster");
  EXPECT_EQ(told(asking, 460), std::nullopt);
  EXPECT_EQ(told(edns_query("a.example", RecordType::kTxt), 10), std::nullopt);
}

TEST(MessageWriter, TheQuestionIsRepeatedAsItWasAsked) {
  const std::string message =
      answer(test::query("KuBe.Example", RecordType::kA), 512, [](auto&) {});
  EXPECT_EQ(MessageReader::open(message)->question(),
            test::question("KuBe.Example", RecordType::kA));
  const Header header = Header::read(message);
  EXPECT_EQ(header, (Header{.id = 7,
                            .is_response = true,
                            .recursion_desired = true,
                            .recursion_available = true,
                            .questions = 1}));
}

TEST(MessageWriter, AsksQuestions) {
  std::array<char, 512> room;
  MessageWriter writer(room, room.size());
  writer.ask(wire("example.com"), RecordType::kAaaa, kUdpSize);
  const std::string message(room.data(), writer.finish({.id = 5, .recursion_desired = true}));
  const auto received = read_query(message);
  EXPECT_EQ(received.verdict, ReceivedQuery::Verdict::kAnswer);
  EXPECT_EQ(received.query.type, RecordType::kAaaa);
  EXPECT_EQ(received.query.edns, (Edns{.udp_size = 1232}));
}

TEST(MessageReader, StopsAtTheFirstRecordThatIsNotWhole) {
  const std::string whole = answer(test::query("a.example", RecordType::kA), 512, [](auto& w) {
    for (int i = 0; i < 2; ++i)
      w.record(Section::kAnswer, wire("a.example"), RecordType::kA, 30,
               [](RecordData& d) { d.bytes("\x0a\0\0\1"sv); });
  });
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string_view cut = std::string_view(whole).substr(0, size);
    auto reader = MessageReader::open(cut);
    if (!reader) continue;
    while (reader->next()) {
    }
    EXPECT_FALSE(reader->is_whole()) << size;
  }
  const std::string more = whole + "x";
  auto reader = MessageReader::open(more);
  while (reader->next()) {
  }
  EXPECT_FALSE(reader->is_whole());
}

TEST(RecordText, DataThatDoesNotFitItsTypeIsPrintedAsBytes) {
  const std::string message = answer(test::query("a", RecordType::kA), 512, [](auto& w) {
    for (const auto type : {RecordType::kA, RecordType::kMx, RecordType::kCname, RecordType::kTxt,
                            RecordType::kSoa, RecordType::kSrv, RecordType::kAaaa})
      w.record(Section::kAnswer, wire("a"), type, 1, [](RecordData& d) { d.bytes("\x05q"); });
  });
  EXPECT_EQ(text_of(message),
            "NOERROR\na. 1 IN A \\# 2 0571\na. 1 IN MX \\# 2 0571\na. 1 IN CNAME \\# 2 0571\n"
            "a. 1 IN TXT \\# 2 0571\na. 1 IN SOA \\# 2 0571\na. 1 IN SRV \\# 2 0571\n"
            "a. 1 IN AAAA \\# 2 0571");
}

TEST(Protocol, TypesAndRcodesHaveNames) {
  EXPECT_EQ(to_string(RecordType::kHttps), "HTTPS");
  EXPECT_EQ(to_string(static_cast<RecordType>(999)), "TYPE999");
  EXPECT_EQ(parse_record_type("aaaa"), RecordType::kAaaa);
  EXPECT_EQ(parse_record_type("type28"), RecordType::kAaaa);
  EXPECT_EQ(parse_record_type("TYPE65536"), std::nullopt);
  EXPECT_EQ(parse_record_type("AAAB"), std::nullopt);
  EXPECT_EQ(parse_rcode("nxdomain"), Rcode::kNameError);
  EXPECT_EQ(to_string(static_cast<Rcode>(9)), "RCODE9");
}

}  // namespace
}  // namespace weft::dns
