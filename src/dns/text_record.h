// text_record.h: a record out of a line of a zone file (RFC 1035, section 5.1):
//
//     www.example.com. 60 IN A 192.0.2.1
//
// Names are whole, with or without a final dot. TTL and class may be left out: an hour, and IN.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dns/name.h"
#include "dns/protocol.h"

namespace weft::dns {

struct TextRecord {
  Name owner = {};
  std::uint32_t ttl = 3600;
  RecordType type = RecordType::kNone;
  std::string data = {};  ///< as on the wire, its names without pointers

  /// Reads A, AAAA, CNAME, DNAME, HINFO, MX, NS, PTR, SOA, SRV and TXT.
  static Result<TextRecord> parse(std::string_view line);
};

}  // namespace weft::dns
