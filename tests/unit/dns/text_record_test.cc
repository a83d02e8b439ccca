#include "dns/text_record.h"

#include <array>

#include <gtest/gtest.h>

#include "dns/message_writer.h"
#include "unit/dns/packets.h"

namespace weft::dns {
namespace {

// The record as a message's reader shows it.
std::string read_back(const std::string& line) {
  const auto record = TextRecord::parse(line);
  if (!record) return "! " + record.error().text();
  const std::string asked = test::query("q", RecordType::kA);
  std::array<char, kLargestMessage> room;
  MessageWriter writer(room, room.size());
  writer.begin(read_query(asked).query);
  writer.record(Section::kAnswer, record->owner.wire(), record->type, record->ttl,
                [&](RecordData& data) { data.bytes(record->data); });
  const std::string text = test::text_of({room.data(), writer.finish({.is_response = true})});
  return text.substr(text.find('\n') + 1);
}

TEST(TextRecord, IsReadAsInAZoneFile) {
  const std::pair<const char*, const char*> cases[] = {
      {"www.example.com. 60 IN A 192.0.2.1", "www.example.com. 60 IN A 192.0.2.1"},
      {"www.example.com A 192.0.2.1", "www.example.com. 3600 IN A 192.0.2.1"},
      {"www.example.com 5 AAAA 2001:db8::1", "www.example.com. 5 IN AAAA 2001:db8::1"},
      {"a 1 IN CNAME b.example", "a. 1 IN CNAME b.example."},
      {"a 1 in ptr b", "a. 1 IN PTR b."},
      {"a 1 IN MX 10 mail.b", "a. 1 IN MX 10 mail.b."},
      {"a 1 IN SRV 1 2 3 b.", "a. 1 IN SRV 1 2 3 b."},
      {"a 1 IN TXT one \"two three\" \"a\\\"b\"", "a. 1 IN TXT \"one\" \"two three\" \"a\\\"b\""},
      {"a 1 IN HINFO \"x\" \"\"", "a. 1 IN HINFO \"x\" \"\""},
      {"a 60 IN SOA ns.a. host.a. (1 60 70 80 4294967295)",
       "a. 60 IN SOA ns.a. host.a. 1 60 70 80 4294967295"}};
  for (const auto& [line, expected] : cases) EXPECT_EQ(read_back(line), expected) << line;
}

TEST(TextRecord, WhatMakesNoSenseIsRefused) {
  for (const char* line :
       {"", "a", "a 60", "a 60 IN", "a 60 IN A", "a 60 IN A 1.2.3", "a 60 IN A ::1",
        "a 60 IN A 1.2.3.4 5.6.7.8", "a 60 CH A 1.2.3.4", "a 60 IN NOTYPE x", "a 60 IN RRSIG x",
        "a..b 60 IN A 1.2.3.4", "a 60 IN MX mail", "a 60 IN SRV 1 2 70000 b", "a 60 IN TXT",
        "a 60 IN TXT \"open", "a 60 IN SOA ns host 1 2 3 4", "a 99999999999 IN A 1.2.3.4"})
    EXPECT_TRUE(read_back(line).starts_with("! ")) << line << " is " << read_back(line);
}

}  // namespace
}  // namespace weft::dns
