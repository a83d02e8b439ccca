// dns_query.h: one question to a DNS server and its answer, by the C library's own codec.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "net/address.h"

namespace weft::matrix {

enum class AskSource : bool { kNo, kYes };
/// A query for the addresses of one family that `name`, taken as it is, has; with EDNS, so that a
/// failure may come with its reason. Empty for what cannot be a name. weft's own server may be
/// asked where the answer comes from; others pass over that.
std::string dns_query(const std::string& name, Family family, std::uint16_t id,
                      AskSource source = AskSource::kNo);

struct DnsAnswer {
  std::set<IpAddress> addresses = {};
  /// What came instead of them: "NXDOMAIN", "SERVFAIL (there is no upstream)", with the extended
  /// error's text (RFC 8914).
  std::string refusal = {};
  std::uint16_t id = 0;
  bool truncated = false;
  std::string code = {};                       ///< "NOERROR", "NXDOMAIN"
  std::optional<std::uint16_t> why_code = {};  ///< of an extended error
  std::string why = {};                        ///< its text
  /// Seconds: the shortest of the answer's records, or how long a denial holds.
  std::optional<std::uint32_t> ttl = {};
  std::string source = {};  ///< what the server says of that, if it was asked
};

/// Nothing when these bytes are no answer.
std::optional<DnsAnswer> parse_dns_answer(std::string_view bytes);

}  // namespace weft::matrix
