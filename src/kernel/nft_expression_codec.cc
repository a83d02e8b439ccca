#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include <array>
#include <type_traits>
#include <utility>

#include "kernel/nft_codec.h"

namespace weft::kernel::nft_codec {
namespace {

using namespace nft;

template <class Enum>
std::uint32_t number(Enum value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t reg(Register value) {
  return number(value);
}
void put_register(Request& request, std::uint16_t attribute, const std::optional<Register>& value) {
  if (value) request.be32(attribute, reg(*value));
}
template <class Enum>
std::optional<Enum> find(const Attributes& attributes, std::uint16_t type) {
  const auto value = attributes.be32(type);
  return value ? std::optional(static_cast<Enum>(*value)) : std::nullopt;
}
std::optional<Register> find_register(const Attributes& attributes, std::uint16_t type) {
  return find<Register>(attributes, type);
}
std::optional<Bytes> find_bytes(const Attributes& attributes, std::uint16_t type) {
  const auto data = decode_data(attributes.nested(type));
  const auto* bytes = data ? std::get_if<Bytes>(&*data) : nullptr;
  return bytes != nullptr ? std::optional(*bytes) : std::nullopt;
}

// The kernel reports a second register of a range always, and flags that follow from the
// registers; neither says anything new.
constexpr std::uint32_t kDerivedFlags = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED;
std::uint32_t port_flags(std::uint32_t flags, const std::optional<Register>& port) {
  return port ? flags | NF_NAT_RANGE_PROTO_SPECIFIED : flags;
}
std::optional<Register> other_end(const Attributes& attributes, std::uint16_t type,
                                  const std::optional<Register>& start) {
  const auto end = find_register(attributes, type);
  return end == start ? std::nullopt : end;
}
std::uint32_t own_flags(const Attributes& attributes, std::uint16_t type) {
  return attributes.be32(type).value_or(0) & ~kDerivedFlags;
}

// --- writing: the name of an expression and its attributes --------------------------------

const char* name_of(const MetaLoad&) {
  return "meta";
}
const char* name_of(const MetaSet&) {
  return "meta";
}
const char* name_of(const CtLoad&) {
  return "ct";
}
const char* name_of(const CtSet&) {
  return "ct";
}
const char* name_of(const PayloadLoad&) {
  return "payload";
}
const char* name_of(const Bitwise&) {
  return "bitwise";
}
const char* name_of(const Compare&) {
  return "cmp";
}
const char* name_of(const Range&) {
  return "range";
}
const char* name_of(const Byteorder&) {
  return "byteorder";
}
const char* name_of(const Immediate&) {
  return "immediate";
}
const char* name_of(const Masquerade&) {
  return "masq";
}
const char* name_of(const Redirect&) {
  return "redir";
}
const char* name_of(const Nat&) {
  return "nat";
}
const char* name_of(const Counter&) {
  return "counter";
}
const char* name_of(const Lookup&) {
  return "lookup";
}
const char* name_of(const Dynset&) {
  return "dynset";
}
const char* name_of(const Fib&) {
  return "fib";
}
const char* name_of(const Numgen&) {
  return "numgen";
}
const char* name_of(const Reject&) {
  return "reject";
}
const char* name_of(const Limit&) {
  return "limit";
}
const char* name_of(const Notrack&) {
  return "notrack";
}
const char* name_of(const Opaque& opaque) {
  return opaque.name.c_str();
}

void put(Request& to, const MetaLoad& meta) {
  to.be32(NFTA_META_KEY, number(meta.key)).be32(NFTA_META_DREG, reg(meta.to));
}
void put(Request& to, const MetaSet& meta) {
  to.be32(NFTA_META_KEY, number(meta.key)).be32(NFTA_META_SREG, reg(meta.from));
}
void put(Request& to, const CtLoad& ct) {
  to.be32(NFTA_CT_KEY, number(ct.key)).be32(NFTA_CT_DREG, reg(ct.to));
  if (ct.direction) to.u8(NFTA_CT_DIRECTION, *ct.direction);
}
void put(Request& to, const CtSet& ct) {
  to.be32(NFTA_CT_KEY, number(ct.key)).be32(NFTA_CT_SREG, reg(ct.from));
  if (ct.direction) to.u8(NFTA_CT_DIRECTION, *ct.direction);
}
void put(Request& to, const PayloadLoad& payload) {
  to.be32(NFTA_PAYLOAD_DREG, reg(payload.to))
      .be32(NFTA_PAYLOAD_BASE, number(payload.base))
      .be32(NFTA_PAYLOAD_OFFSET, payload.offset)
      .be32(NFTA_PAYLOAD_LEN, payload.length);
}
void put(Request& to, const Bitwise& bitwise) {
  to.be32(NFTA_BITWISE_SREG, reg(bitwise.from))
      .be32(NFTA_BITWISE_DREG, reg(bitwise.to))
      .be32(NFTA_BITWISE_OP, NFT_BITWISE_BOOL)
      .be32(NFTA_BITWISE_LEN, static_cast<std::uint32_t>(bitwise.mask.size()));
  encode_data(to, NFTA_BITWISE_MASK, bitwise.mask);
  encode_data(to, NFTA_BITWISE_XOR, bitwise.flip);
}
void put(Request& to, const Compare& compare) {
  to.be32(NFTA_CMP_SREG, reg(compare.from)).be32(NFTA_CMP_OP, number(compare.op));
  encode_data(to, NFTA_CMP_DATA, compare.data);
}
void put(Request& to, const Range& range) {
  to.be32(NFTA_RANGE_SREG, reg(range.from))
      .be32(NFTA_RANGE_OP, range.inverted ? NFT_RANGE_NEQ : NFT_RANGE_EQ);
  encode_data(to, NFTA_RANGE_FROM_DATA, range.low);
  encode_data(to, NFTA_RANGE_TO_DATA, range.high);
}
void put(Request& to, const Byteorder& order) {
  to.be32(NFTA_BYTEORDER_SREG, reg(order.from))
      .be32(NFTA_BYTEORDER_DREG, reg(order.to))
      .be32(NFTA_BYTEORDER_OP, number(order.op))
      .be32(NFTA_BYTEORDER_LEN, order.length)
      .be32(NFTA_BYTEORDER_SIZE, order.size);
}
void put(Request& to, const Immediate& immediate) {
  to.be32(NFTA_IMMEDIATE_DREG, reg(immediate.to));
  encode_data(to, NFTA_IMMEDIATE_DATA, immediate.data);
}
void put(Request& to, const Masquerade& masquerade) {
  const std::uint32_t flags = port_flags(masquerade.flags, masquerade.port_min);
  if (flags != 0) to.be32(NFTA_MASQ_FLAGS, flags);
  put_register(to, NFTA_MASQ_REG_PROTO_MIN, masquerade.port_min);
  put_register(to, NFTA_MASQ_REG_PROTO_MAX, masquerade.port_max);
}
void put(Request& to, const Redirect& redirect) {
  const std::uint32_t flags = port_flags(redirect.flags, redirect.port_min);
  put_register(to, NFTA_REDIR_REG_PROTO_MIN, redirect.port_min);
  put_register(to, NFTA_REDIR_REG_PROTO_MAX, redirect.port_max);
  if (flags != 0) to.be32(NFTA_REDIR_FLAGS, flags);
}
void put(Request& to, const Nat& nat) {
  const std::uint32_t flags = port_flags(nat.flags, nat.port_min);
  to.be32(NFTA_NAT_TYPE, number(nat.type)).be32(NFTA_NAT_FAMILY, number(nat.family));
  put_register(to, NFTA_NAT_REG_ADDR_MIN, nat.address_min);
  put_register(to, NFTA_NAT_REG_ADDR_MAX, nat.address_max);
  put_register(to, NFTA_NAT_REG_PROTO_MIN, nat.port_min);
  put_register(to, NFTA_NAT_REG_PROTO_MAX, nat.port_max);
  if (flags != 0) to.be32(NFTA_NAT_FLAGS, flags);
}
void put(Request& to, const Counter& counter) {
  to.be64(NFTA_COUNTER_BYTES, counter.bytes).be64(NFTA_COUNTER_PACKETS, counter.packets);
}
void put(Request& to, const Lookup& lookup) {
  to.string(NFTA_LOOKUP_SET, lookup.set).be32(NFTA_LOOKUP_SREG, reg(lookup.from));
  put_register(to, NFTA_LOOKUP_DREG, lookup.to);
  if (lookup.inverted) to.be32(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}
void put(Request& to, const Dynset& dynset) {
  to.string(NFTA_DYNSET_SET_NAME, dynset.set)
      .be32(NFTA_DYNSET_OP, number(dynset.op))
      .be32(NFTA_DYNSET_SREG_KEY, reg(dynset.key));
  put_register(to, NFTA_DYNSET_SREG_DATA, dynset.data);
  if (dynset.timeout_ms != 0) to.be64(NFTA_DYNSET_TIMEOUT, dynset.timeout_ms);
}
void put(Request& to, const Fib& fib) {
  to.be32(NFTA_FIB_FLAGS, fib.flags)
      .be32(NFTA_FIB_RESULT, number(fib.answer))
      .be32(NFTA_FIB_DREG, reg(fib.to));
}
void put(Request& to, const Numgen& numgen) {
  to.be32(NFTA_NG_DREG, reg(numgen.to))
      .be32(NFTA_NG_MODULUS, numgen.modulus)
      .be32(NFTA_NG_TYPE, number(numgen.type))
      .be32(NFTA_NG_OFFSET, numgen.offset);
}
void put(Request& to, const Reject& reject) {
  to.be32(NFTA_REJECT_TYPE, number(reject.type)).u8(NFTA_REJECT_ICMP_CODE, reject.code);
}
void put(Request& to, const Limit& limit) {
  to.be64(NFTA_LIMIT_RATE, limit.rate)
      .be64(NFTA_LIMIT_UNIT, limit.unit)
      .be32(NFTA_LIMIT_BURST, limit.burst)
      .be32(NFTA_LIMIT_TYPE, limit.bytes ? NFT_LIMIT_PKT_BYTES : NFT_LIMIT_PKTS)
      .be32(NFTA_LIMIT_FLAGS, limit.inverted ? NFT_LIMIT_F_INV : 0);
}
void put(Request&, const Notrack&) {}

// --- reading: nothing when an attribute is missing or says what the value cannot hold -------

using Decoded = std::optional<Expression>;

Decoded decode_meta(const Attributes& from) {
  const auto key = find<MetaKey>(from, NFTA_META_KEY);
  const auto to = find_register(from, NFTA_META_DREG);
  const auto source = find_register(from, NFTA_META_SREG);
  if (!key || to.has_value() == source.has_value()) return std::nullopt;
  if (to) return MetaLoad{.key = *key, .to = *to};
  return MetaSet{.key = *key, .from = *source};
}

Decoded decode_ct(const Attributes& from) {
  const auto key = find<CtKey>(from, NFTA_CT_KEY);
  const auto to = find_register(from, NFTA_CT_DREG);
  const auto source = find_register(from, NFTA_CT_SREG);
  if (!key || to.has_value() == source.has_value()) return std::nullopt;
  const auto direction = from.u8(NFTA_CT_DIRECTION);
  if (to) return CtLoad{.key = *key, .direction = direction, .to = *to};
  return CtSet{.key = *key, .direction = direction, .from = *source};
}

Decoded decode_payload(const Attributes& from) {
  const auto to = find_register(from, NFTA_PAYLOAD_DREG);
  const auto base = find<PayloadBase>(from, NFTA_PAYLOAD_BASE);
  const auto offset = from.be32(NFTA_PAYLOAD_OFFSET);
  const auto length = from.be32(NFTA_PAYLOAD_LEN);
  if (!to || !base || !offset || !length) return std::nullopt;
  return PayloadLoad{.base = *base, .offset = *offset, .length = *length, .to = *to};
}

Decoded decode_bitwise(const Attributes& from) {
  const auto source = find_register(from, NFTA_BITWISE_SREG);
  const auto to = find_register(from, NFTA_BITWISE_DREG);
  auto mask = find_bytes(from, NFTA_BITWISE_MASK);
  auto flip = find_bytes(from, NFTA_BITWISE_XOR);
  const bool boolean = from.be32(NFTA_BITWISE_OP).value_or(NFT_BITWISE_BOOL) == NFT_BITWISE_BOOL;
  if (!source || !to || !mask || !flip || !boolean || mask->size() != flip->size())
    return std::nullopt;
  return Bitwise{.from = *source, .to = *to, .mask = *std::move(mask), .flip = *std::move(flip)};
}

Decoded decode_compare(const Attributes& from) {
  const auto source = find_register(from, NFTA_CMP_SREG);
  const auto op = find<CompareOp>(from, NFTA_CMP_OP);
  auto data = find_bytes(from, NFTA_CMP_DATA);
  if (!source || !op || !data) return std::nullopt;
  return Compare{.from = *source, .op = *op, .data = *std::move(data)};
}

Decoded decode_range(const Attributes& from) {
  const auto source = find_register(from, NFTA_RANGE_SREG);
  const auto op = from.be32(NFTA_RANGE_OP);
  auto low = find_bytes(from, NFTA_RANGE_FROM_DATA);
  auto high = find_bytes(from, NFTA_RANGE_TO_DATA);
  if (!source || !op || !low || !high) return std::nullopt;
  return Range{.from = *source,
               .inverted = *op == NFT_RANGE_NEQ,
               .low = *std::move(low),
               .high = *std::move(high)};
}

Decoded decode_byteorder(const Attributes& from) {
  const auto source = find_register(from, NFTA_BYTEORDER_SREG);
  const auto to = find_register(from, NFTA_BYTEORDER_DREG);
  const auto op = find<Byteorder::Op>(from, NFTA_BYTEORDER_OP);
  const auto length = from.be32(NFTA_BYTEORDER_LEN);
  const auto size = from.be32(NFTA_BYTEORDER_SIZE);
  if (!source || !to || !op || !length || !size) return std::nullopt;
  return Byteorder{.from = *source, .to = *to, .op = *op, .length = *length, .size = *size};
}

Decoded decode_immediate(const Attributes& from) {
  const auto to = find_register(from, NFTA_IMMEDIATE_DREG);
  auto data = decode_data(from.nested(NFTA_IMMEDIATE_DATA));
  if (!to || !data) return std::nullopt;
  return Immediate{.to = *to, .data = *std::move(data)};
}

Decoded decode_masquerade(const Attributes& from) {
  const auto port = find_register(from, NFTA_MASQ_REG_PROTO_MIN);
  return Masquerade{.flags = own_flags(from, NFTA_MASQ_FLAGS),
                    .port_min = port,
                    .port_max = other_end(from, NFTA_MASQ_REG_PROTO_MAX, port)};
}

Decoded decode_redirect(const Attributes& from) {
  const auto port = find_register(from, NFTA_REDIR_REG_PROTO_MIN);
  return Redirect{.flags = own_flags(from, NFTA_REDIR_FLAGS),
                  .port_min = port,
                  .port_max = other_end(from, NFTA_REDIR_REG_PROTO_MAX, port)};
}

Decoded decode_nat(const Attributes& from) {
  const auto type = find<Nat::Type>(from, NFTA_NAT_TYPE);
  const auto family = from.be32(NFTA_NAT_FAMILY);
  if (!type || (family != NFPROTO_IPV4 && family != NFPROTO_IPV6)) return std::nullopt;
  const auto address = find_register(from, NFTA_NAT_REG_ADDR_MIN);
  const auto port = find_register(from, NFTA_NAT_REG_PROTO_MIN);
  return Nat{.type = *type,
             .family = static_cast<TableFamily>(*family),
             .address_min = address,
             .address_max = other_end(from, NFTA_NAT_REG_ADDR_MAX, address),
             .port_min = port,
             .port_max = other_end(from, NFTA_NAT_REG_PROTO_MAX, port),
             .flags = own_flags(from, NFTA_NAT_FLAGS)};
}

Decoded decode_counter(const Attributes& from) {
  return Counter{.packets = from.be64(NFTA_COUNTER_PACKETS).value_or(0),
                 .bytes = from.be64(NFTA_COUNTER_BYTES).value_or(0)};
}

Decoded decode_lookup(const Attributes& from) {
  auto set = from.string(NFTA_LOOKUP_SET);
  const auto source = find_register(from, NFTA_LOOKUP_SREG);
  if (!set || !source) return std::nullopt;
  return Lookup{.set = *std::move(set),
                .from = *source,
                .to = find_register(from, NFTA_LOOKUP_DREG),
                .inverted = (from.be32(NFTA_LOOKUP_FLAGS).value_or(0) & NFT_LOOKUP_F_INV) != 0};
}

Decoded decode_dynset(const Attributes& from) {
  auto set = from.string(NFTA_DYNSET_SET_NAME);
  const auto op = find<Dynset::Op>(from, NFTA_DYNSET_OP);
  const auto key = find_register(from, NFTA_DYNSET_SREG_KEY);
  const bool plain = from.be32(NFTA_DYNSET_FLAGS).value_or(0) == 0;
  if (!set || !op || !key || !plain) return std::nullopt;
  return Dynset{.op = *op,
                .set = *std::move(set),
                .key = *key,
                .data = find_register(from, NFTA_DYNSET_SREG_DATA),
                .timeout_ms = from.be64(NFTA_DYNSET_TIMEOUT).value_or(0)};
}

Decoded decode_fib(const Attributes& from) {
  const auto answer = find<Fib::Answer>(from, NFTA_FIB_RESULT);
  const auto flags = from.be32(NFTA_FIB_FLAGS);
  const auto to = find_register(from, NFTA_FIB_DREG);
  if (!answer || !flags || !to) return std::nullopt;
  return Fib{.answer = *answer, .flags = *flags, .to = *to};
}

Decoded decode_numgen(const Attributes& from) {
  const auto type = find<Numgen::Type>(from, NFTA_NG_TYPE);
  const auto modulus = from.be32(NFTA_NG_MODULUS);
  const auto to = find_register(from, NFTA_NG_DREG);
  if (!type || !modulus || !to) return std::nullopt;
  return Numgen{.type = *type,
                .modulus = *modulus,
                .offset = from.be32(NFTA_NG_OFFSET).value_or(0),
                .to = *to};
}

Decoded decode_reject(const Attributes& from) {
  const auto type = find<Reject::Type>(from, NFTA_REJECT_TYPE);
  if (!type) return std::nullopt;
  return Reject{.type = *type, .code = from.u8(NFTA_REJECT_ICMP_CODE).value_or(0)};
}

Decoded decode_limit(const Attributes& from) {
  const auto rate = from.be64(NFTA_LIMIT_RATE);
  const auto unit = from.be64(NFTA_LIMIT_UNIT);
  if (!rate || !unit) return std::nullopt;
  return Limit{.rate = *rate,
               .unit = *unit,
               .burst = from.be32(NFTA_LIMIT_BURST).value_or(0),
               .bytes = from.be32(NFTA_LIMIT_TYPE).value_or(0) == NFT_LIMIT_PKT_BYTES,
               .inverted = (from.be32(NFTA_LIMIT_FLAGS).value_or(0) & NFT_LIMIT_F_INV) != 0};
}

Decoded decode_notrack(const Attributes&) {
  return Notrack{};
}

struct Decoder {
  std::string_view name;
  Decoded (*decode)(const Attributes&);
};
constexpr std::array kDecoders{
    Decoder{"meta", decode_meta},
    Decoder{"ct", decode_ct},
    Decoder{"payload", decode_payload},
    Decoder{"bitwise", decode_bitwise},
    Decoder{"cmp", decode_compare},
    Decoder{"range", decode_range},
    Decoder{"byteorder", decode_byteorder},
    Decoder{"immediate", decode_immediate},
    Decoder{"masq", decode_masquerade},
    Decoder{"redir", decode_redirect},
    Decoder{"nat", decode_nat},
    Decoder{"counter", decode_counter},
    Decoder{"lookup", decode_lookup},
    Decoder{"dynset", decode_dynset},
    Decoder{"fib", decode_fib},
    Decoder{"numgen", decode_numgen},
    Decoder{"reject", decode_reject},
    Decoder{"limit", decode_limit},
    Decoder{"notrack", decode_notrack},
};

}  // namespace

void encode_data(Request& request, std::uint16_t attribute, const Data& data) {
  request.nest(attribute, [&](Request& inside) {
    if (const auto* bytes = std::get_if<Bytes>(&data)) {
      inside.bytes(NFTA_DATA_VALUE, *bytes);
      return;
    }
    const auto& verdict = std::get<Verdict>(data);
    inside.nest(NFTA_DATA_VERDICT, [&](Request& fields) {
      fields.be32(NFTA_VERDICT_CODE, number(verdict.code));
      if (!verdict.chain.empty()) fields.string(NFTA_VERDICT_CHAIN, verdict.chain);
    });
  });
}

std::optional<Data> decode_data(const Attributes& data) {
  if (const auto bytes = data.find(NFTA_DATA_VALUE)) return Bytes(*bytes);
  const Attributes verdict = data.nested(NFTA_DATA_VERDICT);
  const auto code = verdict.be32(NFTA_VERDICT_CODE);
  if (!code) return std::nullopt;
  return Verdict{.code = static_cast<Verdict::Code>(*code),
                 .chain = verdict.string(NFTA_VERDICT_CHAIN).value_or("")};
}

void encode_expression(Request& request, const Expression& expression) {
  request.nest(NFTA_LIST_ELEM, [&](Request& inside) {
    std::visit(
        [&](const auto& one) {
          inside.string(NFTA_EXPR_NAME, name_of(one));
          // To the byte, where a nest would be padded.
          if constexpr (std::is_same_v<std::decay_t<decltype(one)>, Opaque>)
            inside.bytes(NFTA_EXPR_DATA | NLA_F_NESTED, one.data);
          else
            inside.nest(NFTA_EXPR_DATA, [&](Request& attributes) { put(attributes, one); });
        },
        expression);
  });
}

std::optional<Expression> decode_expression(const Attributes& expression) {
  const auto name = expression.string(NFTA_EXPR_NAME);
  if (!name) return std::nullopt;
  const auto data = expression.find(NFTA_EXPR_DATA).value_or("");
  for (const auto& [known, decode] : kDecoders)
    if (known == *name)
      if (auto decoded = decode(Attributes(data))) return decoded;
  return Opaque{.name = *name, .data = Bytes(data)};
}

}  // namespace weft::kernel::nft_codec
