// header.h: the twelve bytes in front of every message (RFC 1035, section 4.1.1; AD and CD: RFC
// 4035, section 3).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dns/bytes.h"
#include "dns/protocol.h"

namespace weft::dns {

struct Header {
  std::uint16_t id = 0;
  bool is_response = false;
  Opcode opcode = Opcode::kQuery;
  bool authoritative = false;
  bool truncated = false;
  bool recursion_desired = false;
  bool recursion_available = false;
  bool authentic_data = false;
  bool checking_disabled = false;
  Rcode rcode = Rcode::kNoError;  ///< here the lower four bits alone; see Edns for the others
  std::uint16_t questions = 0;
  std::uint16_t answers = 0;
  std::uint16_t authorities = 0;
  std::uint16_t additionals = 0;

  /// REQUIRES kHeaderSize bytes.
  static Header read(std::string_view message) {
    const unsigned flags = word_at(message, 2);
    return {.id = word_at(message, 0),
            .is_response = (flags & 0x8000U) != 0,
            .opcode = static_cast<Opcode>(flags >> 11U & 0xfU),
            .authoritative = (flags & 0x0400U) != 0,
            .truncated = (flags & 0x0200U) != 0,
            .recursion_desired = (flags & 0x0100U) != 0,
            .recursion_available = (flags & 0x0080U) != 0,
            .authentic_data = (flags & 0x0020U) != 0,
            .checking_disabled = (flags & 0x0010U) != 0,
            .rcode = static_cast<Rcode>(flags & 0xfU),
            .questions = word_at(message, 4),
            .answers = word_at(message, 6),
            .authorities = word_at(message, 8),
            .additionals = word_at(message, 10)};
  }

  /// REQUIRES room for kHeaderSize bytes.
  void write(char* place) const {
    const auto bit = [](bool set, unsigned mask) { return set ? mask : 0U; };
    const unsigned flags = bit(is_response, 0x8000) | static_cast<unsigned>(opcode) << 11U |
                           bit(authoritative, 0x0400) | bit(truncated, 0x0200) |
                           bit(recursion_desired, 0x0100) | bit(recursion_available, 0x0080) |
                           bit(authentic_data, 0x0020) | bit(checking_disabled, 0x0010) |
                           (static_cast<unsigned>(rcode) & 0xfU);
    put_word(place, id);
    put_word(place + 2, static_cast<std::uint16_t>(flags));
    put_word(place + 4, questions);
    put_word(place + 6, answers);
    put_word(place + 8, authorities);
    put_word(place + 10, additionals);
  }

  bool operator==(const Header&) const = default;
};

}  // namespace weft::dns
