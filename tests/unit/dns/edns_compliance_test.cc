// The probes of the EDNS compliance test of ISC, which finds servers that clients have to work
// around: each is the SOA of a zone, asked for with one thing that a server may stumble over.
//
// Source: gitlab.isc.org/isc-projects/DNS-Compliance-Testing (genreport); RFC 6891, RFC 8906.
#include <array>
#include <memory>

#include <gtest/gtest.h>

#include "dns/bytes.h"
#include "dns/kubernetes_plugin.h"
#include "dns/responder.h"
#include "unit/dns/clusters.h"

namespace weft::dns {
namespace {

using test::option;
using test::word;

constexpr const char* kZone = "cluster.local";
constexpr unsigned kDnssecOk = 0x8000;
constexpr unsigned kReservedFlag = 0x0040;  // of the header
constexpr unsigned kAuthenticData = 0x0020;
constexpr unsigned kCheckingDisabled = 0x0010;

struct OptRecord {
  unsigned version = 0;
  unsigned flags = 0;
  std::string options = {};
  unsigned udp_size = 4096;
};

struct Probe {
  const char* name;
  const char* expected;
  std::optional<OptRecord> opt = {};
  unsigned header_flags = 0;
  unsigned type = static_cast<unsigned>(RecordType::kSoa);
  bool over_tcp = false;
};

std::string message_of(const Probe& probe) {
  const std::uint16_t additionals = probe.opt ? 1 : 0;
  std::string bytes = test::header({.id = 7, .questions = 1, .additionals = additionals});
  put_word(bytes.data() + 2, static_cast<std::uint16_t>(probe.header_flags));
  bytes += std::string(Name::parse(kZone)->wire()) + word(probe.type) + word(1);
  if (!probe.opt) return bytes;
  const OptRecord& opt = *probe.opt;
  return bytes + std::string(1, '\0') + word(41) + word(opt.udp_size) + word(opt.version) +
         word(opt.flags) + word(static_cast<unsigned>(opt.options.size())) + opt.options;
}

// " edns0 do z=0040 options 3 10"
std::string opt_text(const RecordView& record) {
  std::string text = " edns" + std::to_string(record.ttl >> 16U & 0xffU);
  const unsigned flags = record.ttl & 0xffffU;
  if ((flags & kDnssecOk) != 0) text += " do";
  if ((flags & ~kDnssecOk) != 0) text += " z";
  for (std::string_view data = record.data; data.size() >= 4;
       data.remove_prefix(4U + word_at(data, 2)))
    text += " option " + std::to_string(word_at(data, 0));
  return text;
}

// The answer in words: its code, "soa" if that is in it, its OPT record.
std::string text_of(std::string_view answer) {
  auto reader = MessageReader::open(answer);
  if (!reader) return "none";
  std::string text;
  std::string opt;
  unsigned rcode = static_cast<unsigned>(reader->header().rcode);
  if (reader->header().authoritative) text += " aa";
  if (reader->header().authentic_data) text += " ad";
  if (reader->header().checking_disabled) text += " cd";
  if ((word_at(answer, 2) & kReservedFlag) != 0) text += " z";
  if (reader->header().truncated) text += " tc";
  while (const auto record = reader->next()) {
    if (record->section == Section::kAnswer && record->type == RecordType::kSoa) text += " soa";
    if (record->type != RecordType::kOpt) continue;
    opt = opt_text(*record);
    rcode |= record->ttl >> 24U << 4U;
  }
  if (!reader->is_whole()) return "broken";
  return to_string(static_cast<Rcode>(rcode)) + text + opt;
}

class EdnsCompliance : public ::testing::Test {
 protected:
  EdnsCompliance() {
    ZoneBuilder builder(test::zone_options());
    builder.set_complete();
    zones_.set(builder.zone(1));
    ServerBlock block{.zones = {Name()}};
    block.plugins.push_back(std::make_unique<KubernetesPlugin>(zones_, Fallthrough{}));
    std::vector<ServerBlock> blocks;
    blocks.push_back(std::move(block));
    responder_ =
        std::make_unique<Responder>(std::move(blocks), Responder::Options{.server_id = "node-1"});
  }
  std::string ask(const std::string& message, bool over_tcp) {
    const Client client{.address = *IpAddress::parse("10.4.0.1"), .port = 9, .over_tcp = over_tcp};
    return {room_.data(), responder_->handle(message, client, room_)};
  }

  Published<ClusterZone> zones_{std::make_shared<const ClusterZone>()};
  std::unique_ptr<Responder> responder_;
  std::array<char, kLargestMessage> room_;
};

const std::string kCookie = option(10, "\1\2\3\4\5\6\7\10");
const std::string kOptionList = option(3, "") + option(8, std::string("\0\1\0\0", 4)) +
                                option(9, "") + kCookie;  // NSID, subnet, expire, cookie

// What genreport calls "ok" of each.
const Probe kProbes[] = {
    {.name = "dns", .expected = "NOERROR aa soa"},
    {.name = "aa", .expected = "NOERROR aa soa", .header_flags = 0x0400},
    {.name = "ad", .expected = "NOERROR aa soa", .header_flags = kAuthenticData},
    {.name = "cd", .expected = "NOERROR aa cd soa", .header_flags = kCheckingDisabled},
    {.name = "rd", .expected = "NOERROR aa soa", .header_flags = 0x0100},
    {.name = "ra", .expected = "NOERROR aa soa", .header_flags = 0x0080},
    {.name = "zflag", .expected = "NOERROR aa soa", .header_flags = kReservedFlag},
    {.name = "tcflag", .expected = "NOERROR aa soa", .header_flags = 0x0200},
    {.name = "opcode15", .expected = "NOTIMP", .header_flags = 0x7800},
    {.name = "type666", .expected = "NOERROR aa", .type = 666},
    {.name = "tcp", .expected = "NOERROR aa soa", .over_tcp = true},
    {.name = "edns", .expected = "NOERROR aa soa edns0", .opt = OptRecord{}},
    {.name = "edns1", .expected = "BADVERS edns0", .opt = OptRecord{.version = 1}},
    {.name = "ednsopt",
     .expected = "NOERROR aa soa edns0",
     .opt = OptRecord{.options = option(100, "")}},
    {.name = "edns1opt",
     .expected = "BADVERS edns0",
     .opt = OptRecord{.version = 1, .options = option(100, "")}},
    {.name = "do", .expected = "NOERROR aa soa edns0 do", .opt = OptRecord{.flags = kDnssecOk}},
    {.name = "ednsflags", .expected = "NOERROR aa soa edns0", .opt = OptRecord{.flags = 0x0040}},
    {.name = "edns1flags",
     .expected = "BADVERS edns0",
     .opt = OptRecord{.version = 1, .flags = 0x0040}},
    {.name = "edns1do",
     .expected = "BADVERS edns0 do",
     .opt = OptRecord{.version = 1, .flags = kDnssecOk}},
    {.name = "docookie",
     .expected = "NOERROR aa soa edns0 do",
     .opt = OptRecord{.flags = kDnssecOk, .options = kCookie}},
    {.name = "edns@512",
     .expected = "NOERROR aa edns0 do",
     .opt = OptRecord{.flags = kDnssecOk, .udp_size = 512},
     .type = static_cast<unsigned>(RecordType::kDnskey)},
    {.name = "ednstcp", .expected = "NOERROR aa soa edns0", .opt = OptRecord{}, .over_tcp = true},
    {.name = "do, by TCP",
     .expected = "NOERROR aa soa edns0 do",
     .opt = OptRecord{.flags = kDnssecOk},
     .over_tcp = true},
    {.name = "optlist",
     .expected = "NOERROR aa soa edns0 option 3",
     .opt = OptRecord{.options = kOptionList}},
    // As BIND 9.11 asks, and its dig.
    {.name = "bind11",
     .expected = "NOERROR aa cd soa edns0 do",
     .opt = OptRecord{.flags = kDnssecOk, .options = kCookie},
     .header_flags = kCheckingDisabled},
    {.name = "dig11",
     .expected = "NOERROR aa soa edns0",
     .opt = OptRecord{.options = kCookie},
     .header_flags = kAuthenticData | 0x0100},
};

TEST_F(EdnsCompliance, EveryProbeOfIscIsOk) {
  for (const Probe& probe : kProbes)
    EXPECT_EQ(text_of(ask(message_of(probe), probe.over_tcp)), probe.expected) << probe.name;
}

TEST_F(EdnsCompliance, NoAnswerIsLargerThanItsQueryAllows) {
  for (const Probe& probe : kProbes) {
    if (probe.over_tcp) continue;
    EXPECT_LE(ask(message_of(probe), false).size(), kPlainUdpSize) << probe.name;
  }
}

// Not of the list, but of the same kind: what is broken gets FORMERR, with as much as was read.
TEST_F(EdnsCompliance, WhatIsBrokenIsSaidToBe) {
  const Probe plain{.name = "", .expected = "", .opt = OptRecord{}};
  const std::string opt = message_of(plain);
  EXPECT_EQ(text_of(ask(opt.substr(0, opt.size() - 1), false)), "FORMERR") << "cut short";
  EXPECT_EQ(text_of(ask(opt + "x", false)), "FORMERR") << "with something behind it";
  const Probe overrun{.name = "", .expected = "", .opt = OptRecord{.options = word(3) + word(9)}};
  EXPECT_EQ(text_of(ask(message_of(overrun), false)), "FORMERR") << "an option that claims more";
}

}  // namespace
}  // namespace weft::dns
