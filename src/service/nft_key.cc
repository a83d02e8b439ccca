#include "service/nft_key.h"

namespace weft::service {
namespace {

using namespace nft;

void load_address(RuleWriter& rule, Family family, std::uint32_t offset, std::uint32_t word) {
  rule.expression(PayloadLoad{.base = PayloadBase::kNetwork,
                              .offset = offset,
                              .length = address_bits(family) / 8U,
                              .to = word_register(word)});
}

}  // namespace

void load_source(RuleWriter& rule, Family family, std::uint32_t word) {
  load_address(rule, family, family == Family::kIpv4 ? 12 : 8, word);
}
void load_destination(RuleWriter& rule, Family family, std::uint32_t word) {
  load_address(rule, family, family == Family::kIpv4 ? 16 : 24, word);
}
void load_port(RuleWriter& rule, std::uint32_t word) {
  constexpr std::uint32_t kDestinationPort = 2;  // in TCP, UDP and SCTP headers alike
  rule.expression(MetaLoad{.key = MetaKey::kL4Proto, .to = word_register(word)});
  rule.expression(PayloadLoad{.base = PayloadBase::kTransport,
                              .offset = kDestinationPort,
                              .length = sizeof(std::uint16_t),
                              .to = word_register(word + 1)});
}
void load_front(RuleWriter& rule, Family family, std::uint32_t word) {
  load_destination(rule, family, word);
  load_port(rule, word + address_words(family));
}

void look_number_up(RuleWriter& rule, const char* map, std::uint32_t from, std::uint32_t to) {
  const Register saved = word_register(15);  // the last one
  const Register number = word_register(to);
  rule.expression(Lookup{.set = map, .from = word_register(from), .to = number})
      .expression(MetaLoad{.key = MetaKey::kMark, .to = saved})
      .expression(MetaSet{.key = MetaKey::kMark, .from = number})
      .expression(MetaLoad{.key = MetaKey::kMark, .to = number})
      .expression(MetaSet{.key = MetaKey::kMark, .from = saved});
}

Bytes port_key(std::uint8_t protocol, std::uint16_t port) {
  return concatenate({Bytes(1, static_cast<char>(protocol)), network_order(port)});
}
Bytes place_key(const IpAddress& address, std::uint16_t port) {
  return concatenate({Bytes(address.bytes()), network_order(port)});
}

}  // namespace weft::service
