#include "dns/protocol.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "base/text.h"

namespace weft::dns {
namespace {

struct TypeName {
  RecordType type;
  std::string_view name;
};
constexpr TypeName kTypes[] = {
    {RecordType::kA, "A"},       {RecordType::kNs, "NS"},         {RecordType::kCname, "CNAME"},
    {RecordType::kSoa, "SOA"},   {RecordType::kPtr, "PTR"},       {RecordType::kHinfo, "HINFO"},
    {RecordType::kMx, "MX"},     {RecordType::kTxt, "TXT"},       {RecordType::kAaaa, "AAAA"},
    {RecordType::kSrv, "SRV"},   {RecordType::kNaptr, "NAPTR"},   {RecordType::kOpt, "OPT"},
    {RecordType::kDs, "DS"},     {RecordType::kRrsig, "RRSIG"},   {RecordType::kNsec, "NSEC"},
    {RecordType::kSvcb, "SVCB"}, {RecordType::kDnskey, "DNSKEY"}, {RecordType::kHttps, "HTTPS"},
    {RecordType::kTsig, "TSIG"}, {RecordType::kIxfr, "IXFR"},     {RecordType::kAxfr, "AXFR"},
    {RecordType::kAny, "ANY"}};

struct RcodeName {
  Rcode rcode;
  std::string_view name;
};
constexpr RcodeName kRcodes[] = {
    {Rcode::kNoError, "NOERROR"},        {Rcode::kFormatError, "FORMERR"},
    {Rcode::kServerFailure, "SERVFAIL"}, {Rcode::kNameError, "NXDOMAIN"},
    {Rcode::kNotImplemented, "NOTIMP"},  {Rcode::kRefused, "REFUSED"},
    {Rcode::kBadVersion, "BADVERS"}};

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

// "TYPE65280" for the prefix "TYPE".
std::optional<std::uint16_t> parse_numbered(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  const auto number = parse_number(text.substr(prefix.size()));
  if (!number || *number > 0xffff) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

}  // namespace

std::string to_string(RecordType type) {
  for (const auto& entry : kTypes)
    if (entry.type == type) return std::string(entry.name);
  return "TYPE" + std::to_string(static_cast<unsigned>(type));
}

std::optional<RecordType> parse_record_type(std::string_view text) {
  const std::string wanted = upper(text);
  for (const auto& entry : kTypes)
    if (entry.name == wanted) return entry.type;
  const auto number = parse_numbered(wanted, "TYPE");
  return number ? std::optional(static_cast<RecordType>(*number)) : std::nullopt;
}

std::string to_string(Rcode rcode) {
  for (const auto& entry : kRcodes)
    if (entry.rcode == rcode) return std::string(entry.name);
  return "RCODE" + std::to_string(static_cast<unsigned>(rcode));
}

std::optional<Rcode> parse_rcode(std::string_view text) {
  const std::string wanted = upper(text);
  for (const auto& entry : kRcodes)
    if (entry.name == wanted) return entry.rcode;
  const auto number = parse_numbered(wanted, "RCODE");
  return number ? std::optional(static_cast<Rcode>(*number)) : std::nullopt;
}

}  // namespace weft::dns
