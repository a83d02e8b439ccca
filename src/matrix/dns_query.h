// dns_query.h: one question to a DNS server and its answer, by the C library's own codec.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "net/address.h"

namespace weft::matrix {

/// A query for the addresses of one family that `name`, taken as it is, has; with EDNS, so that a
/// failure may come with its reason. Empty for what cannot be a name.
std::string dns_query(const std::string& name, Family family, std::uint16_t id);

struct DnsAnswer {
  std::set<IpAddress> addresses = {};
  /// What came instead of them: "NXDOMAIN", "SERVFAIL (there is no upstream)", with the extended
  /// error's text (RFC 8914).
  std::string refusal = {};
};

/// Nothing when these bytes are no answer.
std::optional<DnsAnswer> parse_dns_answer(std::string_view bytes);

}  // namespace weft::matrix
