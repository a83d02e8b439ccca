#include "net/nft_rules.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace weft::nft {
namespace {

constexpr std::size_t kLinkNameBytes = 16;  // IFNAMSIZ
constexpr std::uint32_t kEtherSource = 6;   // offset in the Ethernet header
constexpr std::uint32_t kSourcePort = 0;    // offsets in TCP, UDP and SCTP headers alike
constexpr std::uint32_t kDestinationPort = 2;
constexpr std::uint16_t kArpHardwareEther = 1;

std::uint32_t address_offset(Family family, bool source) {
  if (family == Family::kIpv4) return source ? 12 : 16;
  return source ? 8 : 24;
}
std::uint8_t protocol_number(Family family) {
  return static_cast<std::uint8_t>(table_family(family));
}
std::uint16_t ether_type(Family family) {
  return family == Family::kIpv4 ? 0x0800 : 0x86dd;
}
template <class Number>
Bytes raw_bytes(Number value) {
  Bytes bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
Bytes address_bytes(const IpAddress& address) {
  return Bytes(address.bytes());
}
// The first `length` bits of a field of `size` bytes.
Bytes bit_mask(std::uint8_t length, std::size_t size) {
  Bytes mask(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t bits = std::clamp<std::size_t>(length, i * 8, i * 8 + 8) - i * 8;
    mask[i] = static_cast<char>(0xff00U >> bits);
  }
  return mask;
}
std::uint32_t flags_of(const PortChoice& choice) {
  return (choice.random ? nat_flags::kRandom : 0) |
         (choice.persistent ? nat_flags::kPersistent : 0) |
         (choice.fully_random ? nat_flags::kFullyRandom : 0);
}

}  // namespace

Bytes network_order(std::uint16_t value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xffU)};
}
Bytes host_order(std::uint32_t value) {
  return raw_bytes(value);
}
Bytes link_name_bytes(std::string_view name) {
  CHECK(name.size() < kLinkNameBytes);
  Bytes bytes(name);
  bytes.resize(kLinkNameBytes, '\0');
  return bytes;
}
Bytes concatenate(const std::vector<Bytes>& fields) {
  Bytes all;
  for (const Bytes& field : fields) {
    all += field;
    all.resize((all.size() + 3) / 4 * 4, '\0');
  }
  return all;
}

RuleWriter& RuleWriter::append(Expression expression) {
  rule_.expressions.push_back(std::move(expression));
  return *this;
}
RuleWriter& RuleWriter::expression(Expression expression) {
  return append(std::move(expression));
}
RuleWriter& RuleWriter::comment(std::string text) {
  rule_.comment = std::move(text);
  return *this;
}

void RuleWriter::need_network(Family family) {
  if (network_ == family) return;
  network_ = family;
  switch (family_) {
    case TableFamily::kIp:
    case TableFamily::kIp6:
    case TableFamily::kArp:
      return;
    case TableFamily::kInet:
      append(MetaLoad{.key = MetaKey::kNfProto});
      append(Compare{.data = raw_bytes(protocol_number(family))});
      return;
    case TableFamily::kBridge:
    case TableFamily::kNetdev:
      append(MetaLoad{.key = MetaKey::kProtocol});
      append(Compare{.data = network_order(ether_type(family))});
      return;
  }
}

void RuleWriter::need_link_header() {
  if (link_header_ || family_ == TableFamily::kBridge) return;
  link_header_ = true;
  append(MetaLoad{.key = MetaKey::kIifType});
  append(Compare{.data = raw_bytes(kArpHardwareEther)});
}

RuleWriter& RuleWriter::family_is(Family family) {
  need_network(family);
  return *this;
}

RuleWriter& RuleWriter::address_test(bool source, const Prefix& prefix, CompareOp op) {
  need_network(prefix.family());
  const std::uint32_t offset = address_offset(prefix.family(), source);
  Bytes address = address_bytes(prefix.address());
  // Whole bytes are compared as a shorter field; anything else needs a mask.
  const bool whole_bytes = prefix.length() != 0 && prefix.length() % 8 == 0;
  if (whole_bytes) address.resize(prefix.length() / 8U);
  const auto size = static_cast<std::uint32_t>(address.size());
  append(PayloadLoad{.base = PayloadBase::kNetwork, .offset = offset, .length = size});
  if (!whole_bytes)
    append(Bitwise{.mask = bit_mask(prefix.length(), size), .flip = Bytes(size, '\0')});
  return append(Compare{.op = op, .data = std::move(address)});
}

RuleWriter& RuleWriter::source_in(const Prefix& prefix) {
  return address_test(true, prefix, CompareOp::kEqual);
}
RuleWriter& RuleWriter::source_not_in(const Prefix& prefix) {
  return address_test(true, prefix, CompareOp::kNotEqual);
}
RuleWriter& RuleWriter::destination_in(const Prefix& prefix) {
  return address_test(false, prefix, CompareOp::kEqual);
}
RuleWriter& RuleWriter::destination_not_in(const Prefix& prefix) {
  return address_test(false, prefix, CompareOp::kNotEqual);
}

RuleWriter& RuleWriter::address_lookup(bool source, Family family, std::string set, bool inverted) {
  need_network(family);
  append(PayloadLoad{.base = PayloadBase::kNetwork,
                     .offset = address_offset(family, source),
                     .length = address_bits(family) / 8U});
  return append(Lookup{.set = std::move(set), .inverted = inverted});
}
RuleWriter& RuleWriter::source_in_set(Family family, std::string set, bool inverted) {
  return address_lookup(true, family, std::move(set), inverted);
}
RuleWriter& RuleWriter::destination_in_set(Family family, std::string set, bool inverted) {
  return address_lookup(false, family, std::move(set), inverted);
}

RuleWriter& RuleWriter::ether_source(const MacAddress& mac, CompareOp op) {
  need_link_header();
  const auto* bytes = reinterpret_cast<const char*>(mac.bytes.data());
  append(PayloadLoad{.base = PayloadBase::kLink,
                     .offset = kEtherSource,
                     .length = static_cast<std::uint32_t>(mac.bytes.size())});
  return append(Compare{.op = op, .data = Bytes(bytes, mac.bytes.size())});
}
RuleWriter& RuleWriter::ether_source_is(const MacAddress& mac) {
  return ether_source(mac, CompareOp::kEqual);
}
RuleWriter& RuleWriter::ether_source_is_not(const MacAddress& mac) {
  return ether_source(mac, CompareOp::kNotEqual);
}

RuleWriter& RuleWriter::mark_test(std::uint32_t value, std::uint32_t mask, CompareOp op) {
  append(MetaLoad{.key = MetaKey::kMark});
  if (mask != kWholeMark) append(Bitwise{.mask = host_order(mask), .flip = host_order(0)});
  return append(Compare{.op = op, .data = host_order(value)});
}
RuleWriter& RuleWriter::mark_is(std::uint32_t value, std::uint32_t mask) {
  return mark_test(value, mask, CompareOp::kEqual);
}
RuleWriter& RuleWriter::mark_is_not(std::uint32_t value, std::uint32_t mask) {
  return mark_test(value, mask, CompareOp::kNotEqual);
}

RuleWriter& RuleWriter::link_test(MetaKey key, std::string_view name, CompareOp op) {
  append(MetaLoad{.key = key});
  const bool all_that_begin_so = !name.empty() && name.back() == '*';
  Bytes compared =
      all_that_begin_so ? Bytes(name.substr(0, name.size() - 1)) : link_name_bytes(name);
  return append(Compare{.op = op, .data = std::move(compared)});
}
RuleWriter& RuleWriter::incoming_link_is(std::string_view name) {
  return link_test(MetaKey::kIifName, name, CompareOp::kEqual);
}
RuleWriter& RuleWriter::incoming_link_is_not(std::string_view name) {
  return link_test(MetaKey::kIifName, name, CompareOp::kNotEqual);
}
RuleWriter& RuleWriter::outgoing_link_is(std::string_view name) {
  return link_test(MetaKey::kOifName, name, CompareOp::kEqual);
}
RuleWriter& RuleWriter::outgoing_link_is_not(std::string_view name) {
  return link_test(MetaKey::kOifName, name, CompareOp::kNotEqual);
}

RuleWriter& RuleWriter::protocol_is(L4Protocol protocol) {
  if (transport_ == protocol) return *this;
  transport_ = protocol;
  append(MetaLoad{.key = MetaKey::kL4Proto});
  return append(Compare{.data = raw_bytes(static_cast<std::uint8_t>(protocol))});
}
RuleWriter& RuleWriter::port_test(L4Protocol protocol, std::uint32_t offset, std::uint16_t port) {
  protocol_is(protocol);
  append(PayloadLoad{.base = PayloadBase::kTransport, .offset = offset, .length = sizeof port});
  return append(Compare{.data = network_order(port)});
}
RuleWriter& RuleWriter::source_port_is(L4Protocol protocol, std::uint16_t port) {
  return port_test(protocol, kSourcePort, port);
}
RuleWriter& RuleWriter::destination_port_is(L4Protocol protocol, std::uint16_t port) {
  return port_test(protocol, kDestinationPort, port);
}

RuleWriter& RuleWriter::any_bit(CtKey key, std::uint32_t bits) {
  append(CtLoad{.key = key});
  append(Bitwise{.mask = host_order(bits), .flip = host_order(0)});
  return append(Compare{.op = CompareOp::kNotEqual, .data = host_order(0)});
}
RuleWriter& RuleWriter::ct_state(std::uint32_t any_of) {
  return any_bit(CtKey::kState, any_of);
}
RuleWriter& RuleWriter::ct_status(std::uint32_t any_of) {
  return any_bit(CtKey::kStatus, any_of);
}

RuleWriter& RuleWriter::destination_is_local() {
  constexpr std::uint32_t kLocal = 2;  // RTN_LOCAL
  append(Fib{.answer = Fib::Answer::kAddressType, .flags = Fib::kDestination});
  return append(Compare{.data = host_order(kLocal)});
}
RuleWriter& RuleWriter::source_is_local() {
  constexpr std::uint32_t kLocal = 2;  // RTN_LOCAL
  append(Fib{.answer = Fib::Answer::kAddressType, .flags = Fib::kSource});
  return append(Compare{.data = host_order(kLocal)});
}

RuleWriter& RuleWriter::counter() {
  return append(Counter{});
}
RuleWriter& RuleWriter::set_mark(std::uint32_t value) {
  append(Immediate{.to = Register::k1, .data = host_order(value)});
  return append(MetaSet{.key = MetaKey::kMark});
}
RuleWriter& RuleWriter::add_to_mark(std::uint32_t bits) {
  append(MetaLoad{.key = MetaKey::kMark});
  append(Bitwise{.mask = host_order(~bits), .flip = host_order(bits)});
  return append(MetaSet{.key = MetaKey::kMark});
}
RuleWriter& RuleWriter::limit(std::uint64_t packets_per_second, std::uint32_t burst) {
  return append(Limit{.rate = packets_per_second, .unit = 1, .burst = burst});
}
RuleWriter& RuleWriter::notrack() {
  return append(Notrack{});
}

RuleWriter& RuleWriter::verdict(Verdict::Code code, std::string chain) {
  return append(Immediate{.data = Verdict{.code = code, .chain = std::move(chain)}});
}
RuleWriter& RuleWriter::accept() {
  return verdict(Verdict::Code::kAccept);
}
RuleWriter& RuleWriter::drop() {
  return verdict(Verdict::Code::kDrop);
}
RuleWriter& RuleWriter::return_from_chain() {
  return verdict(Verdict::Code::kReturn);
}
RuleWriter& RuleWriter::jump(std::string chain) {
  return verdict(Verdict::Code::kJump, std::move(chain));
}
RuleWriter& RuleWriter::go_to(std::string chain) {
  return verdict(Verdict::Code::kGoto, std::move(chain));
}

RuleWriter& RuleWriter::masquerade(const PortChoice& choice) {
  return append(Masquerade{.flags = flags_of(choice)});
}

RuleWriter& RuleWriter::nat(Nat::Type type, const IpAddress& address,
                            std::optional<std::uint16_t> port, std::uint32_t flags) {
  append(Immediate{.to = Register::k1, .data = address_bytes(address)});
  if (port) append(Immediate{.to = Register::k2, .data = network_order(*port)});
  return append(Nat{.type = type,
                    .family = table_family(address.family()),
                    .address_min = Register::k1,
                    .port_min = port ? std::optional(Register::k2) : std::nullopt,
                    .flags = flags});
}
RuleWriter& RuleWriter::dnat(const IpAddress& address, std::optional<std::uint16_t> port) {
  return nat(Nat::Type::kDestination, address, port, 0);
}
RuleWriter& RuleWriter::snat(const IpAddress& address, const PortChoice& choice) {
  return nat(Nat::Type::kSource, address, std::nullopt, flags_of(choice));
}
RuleWriter& RuleWriter::redirect_to_port(std::uint16_t port) {
  append(Immediate{.to = Register::k1, .data = network_order(port)});
  return append(Redirect{.port_min = Register::k1});
}

RuleWriter& RuleWriter::reject() {
  constexpr std::uint8_t kIcmpPortUnreachable = 3;
  constexpr std::uint8_t kIcmp6PortUnreachable = 4;
  constexpr std::uint8_t kIcmpxPortUnreachable = 1;
  std::optional<Family> family = network_;
  if (family_ == TableFamily::kIp) family = Family::kIpv4;
  if (family_ == TableFamily::kIp6) family = Family::kIpv6;
  if (!family) return append(Reject{.type = Reject::Type::kIcmpx, .code = kIcmpxPortUnreachable});
  return append(
      Reject{.type = Reject::Type::kIcmp,
             .code = *family == Family::kIpv4 ? kIcmpPortUnreachable : kIcmp6PortUnreachable});
}

std::vector<Element> interval_elements(std::vector<Prefix> prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  std::vector<Element> elements;
  if (prefixes.empty()) return elements;
  const IpAddress zero = IpAddress::any(prefixes.front().family());
  // What lies before the first interval is in none.
  if (prefixes.front().address() != zero)
    elements.push_back({.key = address_bytes(zero), .interval_end = true});
  std::optional<IpAddress> behind = zero;  // the first address behind the interval in work
  bool open = false;
  for (const Prefix& prefix : prefixes) {
    if (open && (!behind || prefix.address() <= *behind)) {
      const auto end = prefix.last().plus(1);
      if (behind && (!end || *end > *behind)) behind = end;
      continue;
    }
    if (open) elements.push_back({.key = address_bytes(*behind), .interval_end = true});
    elements.push_back({.key = address_bytes(prefix.address())});
    behind = prefix.last().plus(1);
    open = true;
  }
  // Without an end the last interval reaches to the last address there is.
  if (behind) elements.push_back({.key = address_bytes(*behind), .interval_end = true});
  return elements;
}

}  // namespace weft::nft
