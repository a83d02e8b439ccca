#include "net/nft_typeof.h"

#include <initializer_list>

#include "net/nft_rules.h"

namespace weft::nft {
namespace {

// enum nftnl_udata_set_types.
constexpr std::uint8_t kKeyTypeof = 3;
constexpr std::uint8_t kDataTypeof = 4;
// enum set_key_udata: of what kind the expression is, and what it says.
constexpr std::uint8_t kExpressionKind = 0;
constexpr std::uint8_t kExpressionData = 1;
// enum expr_types.
constexpr std::uint32_t kPayload = 7;
constexpr std::uint32_t kMeta = 9;
constexpr std::uint32_t kConcatenation = 13;
constexpr std::uint32_t kNumgen = 23;
// enum proto_desc_id, and the fields in nft's own tables of the headers.
constexpr std::uint32_t kTransportHeader = 11;
constexpr std::uint32_t kIpv4Header = 12;
constexpr std::uint32_t kIpv6Header = 13;
constexpr std::uint32_t kIpv4Destination = 12;
constexpr std::uint32_t kIpv6Destination = 9;
constexpr std::uint32_t kTransportDestinationPort = 2;

Bytes record(std::uint8_t type, const Bytes& value) {
  Bytes bytes{static_cast<char>(type), static_cast<char>(value.size())};
  return bytes += value;
}

// Numbers under 0, 1, ..., as all of nft's expressions keep them.
Bytes numbered(std::initializer_list<std::uint32_t> numbers) {
  Bytes bytes;
  std::uint8_t type = 0;
  for (const std::uint32_t number : numbers) bytes += record(type++, host_order(number));
  return bytes;
}

Bytes expression(std::uint32_t kind, const Bytes& data) {
  return record(kExpressionKind, host_order(kind)) + record(kExpressionData, data);
}

Bytes concatenation(const std::vector<TypeofField>& fields) {
  Bytes all;
  std::uint8_t type = 0;
  for (const auto& field : fields) all += record(type++, field.bytes());
  return expression(kConcatenation, all);
}

}  // namespace

TypeofField TypeofField::destination_address(Family family) {
  return TypeofField(expression(kPayload, family == Family::kIpv4
                                              ? numbered({kIpv4Header, kIpv4Destination})
                                              : numbered({kIpv6Header, kIpv6Destination})));
}
TypeofField TypeofField::destination_port() {
  return TypeofField(expression(kPayload, numbered({kTransportHeader, kTransportDestinationPort})));
}
TypeofField TypeofField::l4_protocol() {
  return TypeofField(expression(kMeta, numbered({static_cast<std::uint32_t>(MetaKey::kL4Proto)})));
}
TypeofField TypeofField::random(std::uint32_t modulus) {
  constexpr std::uint32_t kOffset = 0;
  return TypeofField(expression(
      kNumgen, numbered({static_cast<std::uint32_t>(Numgen::Type::kRandom), modulus, kOffset})));
}

Bytes typeof_record(const std::vector<TypeofField>& key, const std::vector<TypeofField>& data) {
  return record(kKeyTypeof, concatenation(key)) + record(kDataTypeof, concatenation(data));
}

}  // namespace weft::nft
