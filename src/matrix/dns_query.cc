#include "matrix/dns_query.h"

#include <arpa/nameser.h>
#include <resolv.h>

#include <algorithm>
#include <array>

namespace weft::matrix {
namespace {

constexpr unsigned kExtendedError = 15;  // RFC 8914
constexpr unsigned kSource = 65053;      // dns/protocol.h
// A root name, type OPT, 1232 bytes, no extended code, version or flags.
constexpr std::string_view kEdns("\0\0\x29\x04\xd0\0\0\0\0", 9);
constexpr std::string_view kNoOption("\0\0", 2);
constexpr std::string_view kSourceOption("\0\x04\xfe\x1d\0\0", 6);

std::string code_name(unsigned code) {
  switch (code) {
    case ns_r_noerror:
      return "NOERROR";
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

void read_option(unsigned option, std::string_view data, DnsAnswer& answer) {
  if (option == kSource) answer.source = data;
  if (option != kExtendedError || data.size() < NS_INT16SZ) return;
  answer.why_code =
      static_cast<std::uint16_t>(ns_get16(reinterpret_cast<const unsigned char*>(data.data())));
  answer.why = data.substr(NS_INT16SZ);
}

void read_options(const ns_rr& record, DnsAnswer& answer) {
  const unsigned char* at = ns_rr_rdata(record);
  const unsigned char* const end = at + ns_rr_rdlen(record);
  while (end - at >= NS_INT16SZ * 2) {
    const unsigned option = ns_get16(at);
    const unsigned length = ns_get16(at + NS_INT16SZ);
    at += NS_INT16SZ * 2;
    if (end - at < static_cast<std::ptrdiff_t>(length)) break;
    read_option(option, {reinterpret_cast<const char*>(at), length}, answer);
    at += length;
  }
}

// How long a denial holds: the lesser of the SOA's TTL and its last number (RFC 2308, section 5).
std::uint32_t denial_ttl(const ns_rr& record) {
  if (ns_rr_rdlen(record) < NS_INT32SZ) return ns_rr_ttl(record);
  const unsigned char* last = ns_rr_rdata(record) + ns_rr_rdlen(record) - NS_INT32SZ;
  return std::min<std::uint32_t>(ns_rr_ttl(record), static_cast<std::uint32_t>(ns_get32(last)));
}

void read_record(ns_sect section, const ns_rr& record, DnsAnswer& answer) {
  const auto type = ns_rr_type(record);
  if (section == ns_s_ar && type == ns_t_opt) read_options(record, answer);
  if (section == ns_s_ns && type == ns_t_soa && !answer.ttl) answer.ttl = denial_ttl(record);
  if (section != ns_s_an) return;
  const auto ttl = static_cast<std::uint32_t>(ns_rr_ttl(record));
  answer.ttl = std::min(answer.ttl.value_or(ttl), ttl);
  if (type != ns_t_a && type != ns_t_aaaa) return;
  const std::string_view value(reinterpret_cast<const char*>(ns_rr_rdata(record)),
                               ns_rr_rdlen(record));
  if (const auto address = IpAddress::from_bytes(value)) answer.addresses.insert(*address);
}

// Of a message that was cut, or is broken, the front counts. False when an answer is.
bool read_records(ns_msg& message, DnsAnswer& answer) {
  for (const ns_sect section : {ns_s_an, ns_s_ns, ns_s_ar})
    for (int i = 0; i < ns_msg_count(message, section); ++i) {
      ns_rr record;
      if (::ns_parserr(&message, section, i, &record) != 0) return section != ns_s_an;
      read_record(section, record, answer);
    }
  return true;
}

}  // namespace

std::string dns_query(const std::string& name, Family family, std::uint16_t id, AskSource source) {
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
  query += source == AskSource::kYes ? kSourceOption : kNoOption;
  return query;
}

std::optional<DnsAnswer> parse_dns_answer(std::string_view bytes) {
  ns_msg message;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  if (::ns_initparse(data, static_cast<int>(bytes.size()), &message) != 0) return std::nullopt;
  DnsAnswer answer;
  answer.id = ns_msg_id(message);
  answer.truncated = ns_msg_getflag(message, ns_f_tc) != 0;
  const auto code = static_cast<unsigned>(ns_msg_getflag(message, ns_f_rcode));
  answer.code = code_name(code);
  if (!read_records(message, answer)) return std::nullopt;
  if (code != ns_r_noerror) {
    answer.addresses.clear();
    answer.refusal = answer.code + (answer.why.empty() ? "" : " (" + answer.why + ")");
  } else if (answer.addresses.empty()) {
    answer.refusal = "no address of the name";
  }
  return answer;
}

}  // namespace weft::matrix
