#include "matrix/dns_query.h"

#include <arpa/nameser.h>
#include <resolv.h>

#include <array>

namespace weft::matrix {
namespace {

constexpr std::uint16_t kExtendedError = 15;  // RFC 8914
// A root name, type OPT, 1232 bytes, no extended code, version or flags, no options.
constexpr std::string_view kEdns("\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);

std::string code_name(unsigned code) {
  switch (code) {
    case ns_r_formerr:
      return "FORMERR";
    case ns_r_servfail:
      return "SERVFAIL";
    case ns_r_nxdomain:
      return "NXDOMAIN";
    case ns_r_notimpl:
      return "NOTIMP";
    case ns_r_refused:
      return "REFUSED";
    default:
      return "code " + std::to_string(code);
  }
}

// The text of an extended error among an OPT record's options; empty when there is none.
std::string extended_error(const ns_rr& record) {
  const unsigned char* at = ns_rr_rdata(record);
  const unsigned char* const end = at + ns_rr_rdlen(record);
  while (end - at >= NS_INT16SZ * 2) {
    const unsigned option = ns_get16(at);
    const unsigned length = ns_get16(at + NS_INT16SZ);
    at += NS_INT16SZ * 2;
    if (end - at < static_cast<std::ptrdiff_t>(length)) break;
    if (option == kExtendedError && length >= NS_INT16SZ)
      return {reinterpret_cast<const char*>(at) + NS_INT16SZ, length - NS_INT16SZ};
    at += length;
  }
  return {};
}

std::string reason_of(ns_msg& message) {
  for (int i = 0; i < ns_msg_count(message, ns_s_ar); ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_ar, i, &record) == 0 && ns_rr_type(record) == ns_t_opt)
      return extended_error(record);
  }
  return {};
}

}  // namespace

std::string dns_query(const std::string& name, Family family, std::uint16_t id) {
  std::array<unsigned char, NS_PACKETSZ> buffer{};
  const int length =
      ::res_mkquery(QUERY, name.c_str(), ns_c_in, family == Family::kIpv4 ? ns_t_a : ns_t_aaaa,
                    nullptr, 0, nullptr, buffer.data(), buffer.size());
  if (length < NS_HFIXEDSZ) return {};
  std::string query(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(length));
  query[0] = static_cast<char>(id >> 8U);
  query[1] = static_cast<char>(id & 0xffU);
  query[NS_HFIXEDSZ - 1] = 1;  // one additional record
  query += kEdns;
  return query;
}

std::optional<DnsAnswer> parse_dns_answer(std::string_view bytes) {
  ns_msg message;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  if (::ns_initparse(data, static_cast<int>(bytes.size()), &message) != 0) return std::nullopt;
  DnsAnswer answer;
  if (const auto code = static_cast<unsigned>(ns_msg_getflag(message, ns_f_rcode)); code != 0) {
    const std::string reason = reason_of(message);
    answer.refusal = code_name(code) + (reason.empty() ? "" : " (" + reason + ")");
    return answer;
  }
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record;
    if (::ns_parserr(&message, ns_s_an, i, &record) != 0) return std::nullopt;
    const std::string_view value(reinterpret_cast<const char*>(ns_rr_rdata(record)),
                                 ns_rr_rdlen(record));
    if (ns_rr_type(record) != ns_t_a && ns_rr_type(record) != ns_t_aaaa) continue;
    if (const auto address = IpAddress::from_bytes(value)) answer.addresses.insert(*address);
  }
  if (answer.addresses.empty()) answer.refusal = "no address of the name";
  return answer;
}

}  // namespace weft::matrix
