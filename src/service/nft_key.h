// nft_key.h: keys of the service proxy's maps, as rules load them and as elements hold them. Pure.
//
// Registers are counted in 4-byte words: an IPv4 address takes one, an IPv6 address four, a
// protocol and a port one each.
#pragma once

#include <cstdint>

#include "net/nft_rules.h"

namespace weft::service {

inline std::uint32_t address_words(Family family) {
  return address_bits(family) / 32U;
}

// Each appends loads to a rule, into the words from `word` on.
void load_source(nft::RuleWriter& rule, Family family, std::uint32_t word);
void load_destination(nft::RuleWriter& rule, Family family, std::uint32_t word);
/// meta l4proto . th dport
void load_port(nft::RuleWriter& rule, std::uint32_t word);
/// ip daddr . meta l4proto . th dport
void load_front(nft::RuleWriter& rule, Family family, std::uint32_t word);

/// Looks a number up, and leaves it in the word `to`. It takes the way through the packet's mark,
/// which is as before when the rule goes on: nft(8) knows no length of what a map gives, and up to
/// 1.0.6 it dies of a failed assertion when it has to print a rule where that is a key again.
void look_number_up(nft::RuleWriter& rule, const char* map, std::uint32_t from, std::uint32_t to);

/// A number as the kernel has it in registers: in the host's order.
inline nft::Bytes number_key(std::uint32_t number) {
  return nft::host_order(number);
}
/// PROTOCOL . PORT
nft::Bytes port_key(std::uint8_t protocol, std::uint16_t port);
/// ADDRESS . PORT
nft::Bytes place_key(const IpAddress& address, std::uint16_t port);

}  // namespace weft::service
